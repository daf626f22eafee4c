SELECT id FROM _sync_origins WHERE name = :name
