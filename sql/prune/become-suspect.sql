UPDATE _sync_replica SET renewed = 1 WHERE renewed = 0
