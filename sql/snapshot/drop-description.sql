DROP TABLE _sync_snapshot
