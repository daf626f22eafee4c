SELECT EXISTS (SELECT 1 FROM _sync_conflicts WHERE settled_ms IS NULL) AS found
