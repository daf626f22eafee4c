-- A table, or its indexes, as the schema has them; an index that SQLite makes by itself has no text.
SELECT sql FROM {{schema}}.sqlite_schema
WHERE tbl_name = :table AND type = :type AND sql IS NOT NULL
ORDER BY name
