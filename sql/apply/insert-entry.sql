INSERT INTO _sync_changes
  (table_name, {{recordColumns}}, operation, rank, timestamp, floor, origin, fingerprint, seen)
VALUES ({{tableName}}, {{key}}, ?, ?, ?, ?, ?, ?, ?)
