-- Enters the next rows in the order of the key's index as if they had just been captured, at no time.
INSERT INTO _sync_changes (table_name, {{recordColumns}}, operation, timestamp)
SELECT {{tableName}}, {{keyColumns}}, 'INSERT', 0
FROM {{table}} AS w
WHERE {{keyIsWhole}} {{afterKey}}
ORDER BY {{order}}
LIMIT CAST(? AS INTEGER)
