-- The columns of one table, generated and hidden ones included.
SELECT name, type AS declared_type, "notnull" AS not_null, dflt_value AS default_sql, pk AS key_position, hidden
FROM pragma_table_xinfo(:table)
ORDER BY cid
