SELECT after_key AS afterKey, done, gaps FROM _sync_backfill WHERE table_name = :table
