UPDATE _sync_peers SET dropped = 1 WHERE name = :name
