-- What was left out since its replica was unknown comes again.
UPDATE _sync_peers SET members_hash = NULL WHERE members_hash IS NOT NULL
