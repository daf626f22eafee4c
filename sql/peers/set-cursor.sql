UPDATE _sync_peers SET cursor = :cursor, behind = NULL, imported = NULL WHERE name = :name
