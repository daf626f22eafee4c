SELECT coalesce(witness, cursor) AS cursor FROM _sync_peers WHERE name = :name
