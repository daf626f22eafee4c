INSERT INTO _sync_counts (table_name, live, difference) VALUES (:table, :live, :difference)
ON CONFLICT (table_name) DO UPDATE SET live = excluded.live, difference = excluded.difference
