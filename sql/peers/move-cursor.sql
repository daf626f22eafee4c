-- A comparison of everything goes on until the head, which also brings back what was dropped.
INSERT INTO _sync_peers (name, epoch, cursor, behind, last_applied_ms, comparing, witness, imported)
VALUES (
  :name, :epoch, :cursor, :behind, :appliedMs, :fromStart AND :hasMore,
  CASE WHEN :fromStart AND :hasMore THEN NULL ELSE :cursor END, :imported
)
ON CONFLICT (name) DO UPDATE SET
  epoch = excluded.epoch,
  cursor = excluded.cursor,
  behind = excluded.behind,
  last_applied_ms = coalesce(excluded.last_applied_ms, last_applied_ms),
  dropped = CASE WHEN (:fromStart OR comparing) AND NOT :hasMore THEN 0 ELSE dropped END,
  comparing = (:fromStart OR comparing) AND :hasMore,
  witness = CASE WHEN (:fromStart OR comparing) AND :hasMore THEN witness ELSE excluded.cursor END,
  imported = excluded.imported
