SELECT table_name AS name, key_columns AS columns FROM _sync_known_keys
