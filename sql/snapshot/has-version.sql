EXISTS (
  SELECT 1 FROM main._sync_changes AS c
  WHERE c.table_name = {{tableName}} AND {{rowMatches}} AND c.origin IS NOT NULL AND c.fingerprint IS NOT NULL
)
