-- Rows of a table that were marked as deleted before a time: their entries, in log order.
SELECT id FROM _sync_changes
WHERE id > :after AND table_name = {{tableName}} AND operation = 'DELETE' AND origin IS NOT NULL
  AND fingerprint IS NOT NULL AND timestamp < :before
ORDER BY id LIMIT CAST(:limit AS INTEGER)
