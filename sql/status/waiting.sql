-- What waits in each table: entries that no fold has read yet, changes in quarantine, open conflicts.
SELECT name, sum(unfolded) AS unfolded, sum(quarantined) AS quarantined, sum(conflicts) AS conflicts
FROM (
  SELECT table_name AS name, count(*) AS unfolded, 0 AS quarantined, 0 AS conflicts
  FROM _sync_changes WHERE id > (SELECT folded FROM _sync_replica) AND origin IS NULL GROUP BY table_name
  UNION ALL
  SELECT table_name, 0, count(*), 0 FROM _sync_quarantine GROUP BY table_name
  UNION ALL
  SELECT table_name, 0, 0, count(*) FROM _sync_conflicts WHERE settled_ms IS NULL GROUP BY table_name
)
GROUP BY name
