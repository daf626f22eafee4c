SELECT cursor, comparing, members_hash AS known FROM _sync_peers WHERE name = :name
