INSERT INTO _sync_backfill (table_name, after_key, done, gap, gaps) VALUES (:table, NULL, 1, 2, 1)
ON CONFLICT (table_name) DO UPDATE SET gap = 2, gaps = gaps + 1
