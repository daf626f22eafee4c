INSERT INTO _sync_backfill (table_name, after_key, done, gap) VALUES (:table, NULL, 1, 2)
ON CONFLICT (table_name) DO UPDATE SET gap = 2
