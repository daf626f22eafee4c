-- What a trigger would have appended; no time where the row says it itself, or now counts.
INSERT INTO _sync_changes (table_name, {{recordColumns}}, operation, timestamp)
VALUES ({{tableName}}, {{key}}, 'UPDATE', {{writtenMs}})
