SELECT
  (SELECT count(*) FROM _sync_quarantine) AS quarantined,
  (SELECT count(*) FROM _sync_conflicts) AS conflicts
