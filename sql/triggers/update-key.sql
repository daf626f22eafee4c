CREATE TRIGGER {{trigger}} AFTER UPDATE {{ofKey}} ON {{table}}
WHEN ({{keyChanged}}) AND (SELECT applying FROM _sync_guard) IS NOT 1
BEGIN
  INSERT INTO _sync_changes (table_name, {{recordColumns}}, operation, timestamp)
  VALUES ({{tableName}}, {{oldKey}}, 'DELETE', CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER));
END
