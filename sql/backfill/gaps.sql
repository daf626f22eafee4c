SELECT table_name AS name, gap, gaps FROM _sync_backfill WHERE gap > 0
