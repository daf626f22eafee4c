-- Changes that clashed with a unique index, of one peer or, where that is null, of all.
SELECT id, change FROM _sync_quarantine
WHERE reason LIKE 'unique:%' AND (:peer IS NULL OR peer = :peer)
ORDER BY id LIMIT CAST(:limit AS INTEGER)
