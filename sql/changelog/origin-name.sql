SELECT name FROM _sync_origins WHERE id = :id
