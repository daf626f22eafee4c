-- What is held, oldest first, after an id.
SELECT id, change, peer, reason, since_ms FROM _sync_quarantine WHERE id > :after ORDER BY id LIMIT CAST(:limit AS INTEGER)
