-- What this replica was sent and has not in its tables: in quarantine, or waiting for a person beside what is here.
SELECT
  (SELECT count(*) FROM _sync_quarantine)
  + (SELECT count(*) FROM _sync_conflicts WHERE settled_ms IS NULL AND decided_by = 'nobody') AS held
