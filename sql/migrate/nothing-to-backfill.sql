-- A table without rows has none that no trigger saw.
INSERT INTO _sync_backfill (table_name, after_key, done) VALUES ({{tableName}}, NULL, 1)
ON CONFLICT (table_name) DO UPDATE SET after_key = NULL, done = 1
