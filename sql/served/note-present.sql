INSERT INTO _sync_served (table_name) SELECT value FROM json_each(:tables) WHERE true ON CONFLICT DO NOTHING
