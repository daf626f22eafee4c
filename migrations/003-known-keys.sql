-- The key by which the changelog knows the rows of a table: its columns, as JSON. Its entries say nothing under another.
CREATE TABLE _sync_known_keys (table_name TEXT PRIMARY KEY, key_columns TEXT NOT NULL) WITHOUT ROWID;
