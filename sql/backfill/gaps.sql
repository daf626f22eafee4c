SELECT table_name AS name, gap FROM _sync_backfill WHERE gap > 0
