DELETE FROM _sync_quarantine WHERE id = :id
