-- Enters versions whose row went while no trigger saw it.
INSERT INTO _sync_changes (table_name, {{recordColumns}}, operation, timestamp)
SELECT c.table_name, {{entryColumns}}, 'DELETE', :at
FROM _sync_changes AS c
WHERE c.id > :after AND c.id <= :last AND c.table_name = {{tableName}} AND c.origin IS NOT NULL
  AND c.fingerprint IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM {{table}} AS w WHERE {{rowMatches}})
