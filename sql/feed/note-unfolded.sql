-- Those that are newer than what is noted already.
INSERT INTO temp.unfolded (id, table_name, {{recordColumns}})
SELECT id, table_name, {{recordColumns}}
FROM _sync_changes
WHERE id > max(:folded, (SELECT coalesce(max(id), 0) FROM temp.unfolded)) AND origin IS NULL
ORDER BY id
LIMIT CAST(:limit AS INTEGER)
