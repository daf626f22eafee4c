CREATE TABLE _sync_snapshot (description TEXT NOT NULL)
