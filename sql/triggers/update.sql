CREATE TRIGGER {{trigger}} AFTER UPDATE ON {{table}}
WHEN (SELECT applying FROM _sync_guard) IS NOT 1
BEGIN
  INSERT INTO _sync_changes (table_name, {{recordColumns}}, operation{{timestampColumn}})
  VALUES ({{tableName}}, {{newKey}}, 'UPDATE'{{captureTime}});
END
