UPDATE _sync_conflicts SET settled_ms = :settledMs WHERE id = :id AND settled_ms IS NULL
