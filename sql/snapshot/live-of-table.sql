count(CASE WHEN table_name = {{tableName}} THEN fingerprint END)
