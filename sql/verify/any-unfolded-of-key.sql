SELECT EXISTS (
  SELECT 1 FROM temp.unfolded AS u
  WHERE u.table_name = {{tableName}} AND {{recordIs}} AND u.id > (SELECT folded FROM _sync_replica)
) AS found
