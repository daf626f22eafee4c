-- The folded entries, which came from the source. What it authored has, for others, the log id that it has there.
INSERT INTO main._sync_changes
  (
    id, table_name, {{recordColumns}}, key_hash, operation, timestamp, origin, fingerprint, seen, rank, floor, origin_seq,
    via
  )
SELECT
  c.id, c.table_name, {{entryColumns}}, c.key_hash, c.operation, c.timestamp, c.origin, c.fingerprint, c.seen, c.rank, c.floor,
  CASE WHEN c.origin = (SELECT o.id FROM main._sync_origins AS o WHERE o.name = :origin) THEN c.id ELSE c.origin_seq END,
  (SELECT o.id FROM main._sync_origins AS o WHERE o.name = :origin)
FROM source._sync_changes AS c
WHERE c.origin IS NOT NULL AND ({{kept}})
ORDER BY c.id
