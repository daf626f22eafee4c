UPDATE _sync_backfill SET gap = 1, done = 0, after_key = NULL WHERE table_name = :table
