SELECT table_name AS name FROM _sync_backfill WHERE done = 1
