SELECT after_key AS afterKey, done FROM _sync_backfill WHERE table_name = :table
