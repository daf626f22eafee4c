-- The folded entries after a place in the log, without what the puller authored itself.
SELECT id, table_name AS tableName
FROM _sync_changes
WHERE id > :since AND origin IS NOT NULL AND origin IS NOT :pullerOrigin AND table_name IN ({{tableNames}})
ORDER BY id
LIMIT :limit
