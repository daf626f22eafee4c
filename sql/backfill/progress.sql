SELECT done FROM _sync_backfill WHERE table_name = :table
