-- Every table and view of the main schema with its text, SQLite's own left out.
SELECT list.name, list.type, list.wr AS without_rowid, list.strict, coalesce(made.sql, '') AS sql
FROM pragma_table_list AS list
LEFT JOIN sqlite_schema AS made ON made.type = 'table' AND made.name = list.name
WHERE list.schema = 'main' AND list.name NOT LIKE 'sqlite\_%' ESCAPE '\'
ORDER BY list.name COLLATE NOCASE
