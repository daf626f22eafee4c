-- Changes that clashed with a unique index, oldest first.
SELECT id, change, peer FROM _sync_quarantine WHERE reason LIKE 'unique:%' ORDER BY id LIMIT :limit
