CREATE INDEX _sync_changes_row ON _sync_changes (key_hash) WHERE key_hash IS NOT NULL
