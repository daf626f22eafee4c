SELECT EXISTS (SELECT 1 FROM _sync_changes WHERE table_name = {{tableName}} AND origin IS NOT NULL) AS found
