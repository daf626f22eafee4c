SELECT capturing FROM _sync_replica
