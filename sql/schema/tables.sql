-- Every table and view of the main schema, SQLite's own left out.
SELECT name, type, wr AS without_rowid, strict
FROM pragma_table_list
WHERE schema = 'main' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
ORDER BY name COLLATE NOCASE
