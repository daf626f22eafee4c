INSERT INTO main._sync_snapshot (description) VALUES (:description)
