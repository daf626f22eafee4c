SELECT cursor, comparing, members_hash AS known, witness, imported FROM _sync_peers WHERE name = :name
