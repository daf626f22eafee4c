-- A table that was compared once is to be compared anew: where that is interrupted, it is a gap like any other.
INSERT INTO _sync_backfill (table_name) VALUES (:table)
ON CONFLICT (table_name) DO UPDATE SET after_key = NULL, done = 0, gap = 1, gaps = gaps + 1 WHERE done = 1
