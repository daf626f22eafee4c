INSERT INTO _sync_origins (name) VALUES (:name)
