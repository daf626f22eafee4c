DELETE FROM _sync_changes WHERE id = :id
