-- The foreign keys of the main schema, a row for each pair of columns; no parent column: the parent's primary key.
SELECT list.name AS child, key.id, key."table" AS parent, key."from" AS childColumn, key."to" AS parentColumn
FROM pragma_table_list AS list, pragma_foreign_key_list(list.name) AS key
WHERE list.schema = 'main' AND list.type = 'table'
ORDER BY list.name, key.id, key.seq
