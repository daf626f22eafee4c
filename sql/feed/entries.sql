-- The folded entries after a place in the log that are for this puller.
SELECT c.id, c.table_name AS tableName
FROM _sync_changes AS c
WHERE c.id > :since AND c.origin IS NOT NULL AND c.table_name IN ({{tableNames}}) AND {{forPuller}}
ORDER BY c.id
LIMIT CAST(:limit AS INTEGER)
