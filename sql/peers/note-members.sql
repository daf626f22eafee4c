UPDATE _sync_peers SET members_hash = :known WHERE name = :name AND members_hash IS NOT :known
