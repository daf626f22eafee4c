-- The first pull went on from the snapshot: this replica has missed nothing.
UPDATE _sync_replica SET renewed = 0
