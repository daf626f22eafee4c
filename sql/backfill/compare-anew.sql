-- The log can't tell what became of the table's rows: they are to be compared with their versions.
INSERT INTO _sync_backfill (table_name, after_key, done, gap, gaps) VALUES (:table, NULL, 0, 1, 1)
ON CONFLICT (table_name) DO UPDATE SET after_key = NULL, done = 0, gap = 1, gaps = gaps + 1
