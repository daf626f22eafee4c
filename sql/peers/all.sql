SELECT
  name, epoch, cursor, behind, last_applied_ms AS lastAppliedMs, acknowledged, acknowledged_ms AS acknowledgedMs
FROM _sync_peers ORDER BY name
