-- What keeps others from trusting that this replica has all that it claims.
SELECT
  EXISTS (SELECT 1 FROM _sync_quarantine)
  OR EXISTS (SELECT 1 FROM _sync_conflicts WHERE settled_ms IS NULL AND decided_by = 'nobody') AS held,
  EXISTS (SELECT 1 FROM _sync_peers WHERE dropped = 1) AS dropped,
  EXISTS (SELECT 1 FROM _sync_backfill WHERE gap > 0) AS gaps
