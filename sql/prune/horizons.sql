SELECT table_name AS "table", stamp, rank FROM _sync_pruned ORDER BY table_name
