DELETE FROM _sync_changes
WHERE id > :after AND id <= :last AND +table_name = {{tableName}} AND origin IS NOT NULL
