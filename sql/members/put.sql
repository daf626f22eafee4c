INSERT INTO _sync_members (node, epoch, born_ms, told_ms, held, tables, forgotten_ms, claims)
VALUES (:node, :epoch, :born_ms, :told_ms, :held, :tables, :forgotten_ms, :claims)
ON CONFLICT (node) DO UPDATE SET
  epoch = excluded.epoch,
  born_ms = excluded.born_ms,
  told_ms = excluded.told_ms,
  held = excluded.held,
  tables = excluded.tables,
  forgotten_ms = excluded.forgotten_ms,
  claims = excluded.claims
