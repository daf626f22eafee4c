UPDATE _sync_backfill SET after_key = :afterKey WHERE table_name = :table
