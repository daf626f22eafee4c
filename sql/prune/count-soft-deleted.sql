SELECT count(*) AS rows FROM _sync_changes
WHERE table_name = {{tableName}} AND operation = 'DELETE' AND origin IS NOT NULL
  AND fingerprint IS NOT NULL AND timestamp < :before
