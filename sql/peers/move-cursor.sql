INSERT INTO _sync_peers (name, epoch, cursor, behind, last_applied_ms)
VALUES (:name, :epoch, :cursor, :behind, :appliedMs)
ON CONFLICT (name) DO UPDATE SET
  epoch = excluded.epoch,
  cursor = excluded.cursor,
  behind = excluded.behind,
  last_applied_ms = coalesce(excluded.last_applied_ms, last_applied_ms)
