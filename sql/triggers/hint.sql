INSERT INTO _sync_changes (table_name, {{recordColumns}}, operation, timestamp)
  SELECT {{tableName}}, {{rowKey}}, 'DELETE', CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
  FROM {{table}} AS w WHERE {{collides}} AND ({{otherKey}});
