-- The versions before those that were entered after :entered.
DELETE FROM _sync_changes WHERE id IN (
  SELECT old.id
  FROM _sync_changes AS raw
  JOIN _sync_changes AS old
    ON old.key_hash = raw.key_hash AND old.table_name = {{tableName}} AND {{oldMatches}}
  WHERE raw.id > :entered AND raw.table_name = {{tableName}} AND old.id <= :newest
)
