SELECT cursor, comparing, members_hash AS known, witness FROM _sync_peers WHERE name = :name
