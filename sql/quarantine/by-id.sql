SELECT id, change, peer, reason, since_ms FROM _sync_quarantine WHERE id = :id
