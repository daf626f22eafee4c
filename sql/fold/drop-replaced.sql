-- The versions before those that were entered after :entered. CROSS: where the log was analyzed, all versions up to :newest
-- were read instead, each looked for among the new ones.
DELETE FROM _sync_changes WHERE id IN (
  SELECT old.id
  FROM _sync_changes AS raw
  CROSS JOIN _sync_changes AS old
    ON old.key_hash = raw.key_hash AND old.table_name = {{tableName}} AND {{oldMatches}}
  WHERE raw.id > :entered AND raw.table_name = {{tableName}} AND +old.id <= :newest
)
