UPDATE _sync_replica SET born_ms = :bornMs
