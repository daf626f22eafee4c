INSERT INTO _sync_origins (name) VALUES (:name) ON CONFLICT DO NOTHING
