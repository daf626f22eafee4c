EXISTS (
  SELECT 1 FROM temp.unfolded AS u
  WHERE u.table_name = {{tableName}} AND {{unfoldedMatches}} AND u.id > (SELECT folded FROM _sync_replica)
)
