-- Every trigger that is not ours, with its text.
SELECT name, tbl_name AS tableName, sql FROM sqlite_schema
WHERE type = 'trigger' AND NOT (name LIKE '\_sync\_%' ESCAPE '\' AND instr(sql, '_sync_changes') > 0)
ORDER BY name
