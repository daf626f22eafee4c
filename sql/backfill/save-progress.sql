INSERT INTO _sync_backfill (table_name, after_key, done) VALUES (:table, :afterKey, :done)
ON CONFLICT (table_name)
DO UPDATE SET after_key = excluded.after_key, done = excluded.done, gap = gap AND NOT excluded.done
