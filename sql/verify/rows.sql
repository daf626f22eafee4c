-- Rows of a range of keys in the order of the key's index, each with the version that the changelog has of it.
SELECT c.rank, c.timestamp, c.origin, lower(hex(c.fingerprint)), c.seen, {{rowColumns}}
FROM {{table}} AS w
LEFT JOIN _sync_changes AS c ON c.key_hash = {{keyHash}} AND c.table_name = {{tableName}} AND {{recordIsKey}}
WHERE {{inRange}}
ORDER BY {{keyOrder}}
LIMIT CAST(:limit AS INTEGER)
