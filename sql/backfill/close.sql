UPDATE _sync_backfill SET after_key = NULL, done = 1, gap = 0 WHERE table_name = :table
