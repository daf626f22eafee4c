INSERT INTO _sync_changes (table_name, {{recordColumns}}, operation, timestamp, origin, fingerprint, seen)
VALUES ({{tableName}}, {{key}}, {{operation}}, {{stamp}}, {{origin}}, unhex(nullif({{fingerprint}}, '')), {{seen}})
