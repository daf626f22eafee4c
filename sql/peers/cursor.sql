SELECT cursor FROM _sync_peers WHERE name = :name
