-- What this replica was sent and has not in its tables: in quarantine, dropped from there and not come again, or waiting
-- for a person beside what is here.
SELECT
  (SELECT count(*) FROM _sync_quarantine)
  + (SELECT count(*) FROM _sync_peers WHERE dropped = 1)
  + (SELECT count(*) FROM _sync_conflicts WHERE settled_ms IS NULL AND decided_by = 'nobody') AS held
