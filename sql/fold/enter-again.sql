-- Rows whose presence contradicts their version, for the fold to read as they are.
INSERT INTO _sync_changes (table_name, {{recordColumns}}, operation, timestamp)
SELECT table_name, {{recordColumns}}, CASE WHEN fingerprint IS NULL THEN 'INSERT' ELSE 'DELETE' END, :at
FROM _sync_changes
WHERE id IN (SELECT value FROM json_each(:logIds)) AND origin IS NOT NULL
