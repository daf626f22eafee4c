-- Every trigger of ours, with its text: by name, and by writing to the changelog.
SELECT name, tbl_name AS table_name, sql FROM sqlite_schema
WHERE type = 'trigger' AND name LIKE '\_sync\_%' ESCAPE '\' AND instr(sql, '_sync_changes') > 0
ORDER BY name
