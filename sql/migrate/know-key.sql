INSERT OR REPLACE INTO _sync_known_keys (table_name, key_columns) VALUES ({{tableName}}, {{columns}})
