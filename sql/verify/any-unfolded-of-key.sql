SELECT EXISTS (SELECT 1 FROM temp.unfolded AS u WHERE u.table_name = {{tableName}} AND {{recordIs}}) AS found
