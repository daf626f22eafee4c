SELECT count(*) AS live FROM _sync_changes
WHERE table_name = {{tableName}} AND origin IS NOT NULL AND fingerprint IS NOT NULL
