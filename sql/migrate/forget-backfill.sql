-- What was written while the table had no triggers is unknown to the log: its rows are to be compared with their versions.
INSERT INTO _sync_backfill (table_name, after_key, done, gap, gaps) VALUES ({{tableName}}, NULL, 0, 1, 1)
ON CONFLICT (table_name) DO UPDATE SET after_key = NULL, done = 0, gap = 1, gaps = gaps + 1
