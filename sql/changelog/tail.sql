-- The newest entries of the changelog, newest first: versions, and what no fold has read yet, which has no origin.
SELECT c.id AS seq, c.table_name AS "table", c.operation, c.timestamp AS time_ms, o.name AS origin
FROM _sync_changes AS c
LEFT JOIN _sync_origins AS o ON o.id = c.origin
ORDER BY c.id DESC
LIMIT CAST(:limit AS INTEGER)
