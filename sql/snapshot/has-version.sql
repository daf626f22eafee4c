EXISTS (
  SELECT 1 FROM main._sync_changes AS c
  WHERE c.key_hash = {{keyHash}} AND c.table_name = {{tableName}} AND {{rowMatches}} AND c.fingerprint IS NOT NULL
)
