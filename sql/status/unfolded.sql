SELECT count(*) AS entries FROM _sync_changes WHERE id > (SELECT folded FROM _sync_replica) AND origin IS NULL
