UPDATE _sync_peers SET cursor = '', behind = NULL WHERE name = :name
