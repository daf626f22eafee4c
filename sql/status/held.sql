SELECT
  (SELECT count(*) FROM _sync_quarantine) AS quarantined,
  (SELECT count(*) FROM _sync_conflicts WHERE settled_ms IS NULL) AS conflicts
