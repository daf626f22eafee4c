SELECT table_name AS name FROM _sync_backfill WHERE gap = 1 AND done = 0
