UPDATE _sync_backfill SET gap = 0 WHERE table_name = :table
