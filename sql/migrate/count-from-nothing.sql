INSERT INTO _sync_counts (table_name, live, difference) VALUES ({{tableName}}, 0, 0)
ON CONFLICT (table_name) DO UPDATE SET live = 0, difference = 0
