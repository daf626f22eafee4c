-- Raw entries whose key has a NULL in it: such a row can't be told from others.
SELECT EXISTS (
  SELECT 1 FROM _sync_changes
  WHERE id > :folded AND id <= :last AND origin IS NULL AND table_name = {{tableName}} AND NOT ({{recordIsWhole}})
) AS found
