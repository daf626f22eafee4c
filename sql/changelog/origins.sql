SELECT id, name FROM _sync_origins
