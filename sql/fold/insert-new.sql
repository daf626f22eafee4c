-- The rows among a batch of raw entries that have no version yet. LIMIT keeps the inner query whole, so that the
-- fingerprint is made once; CROSS keeps the order in which the entries were grouped, that of the keys, without another
-- sort. A key is taken from its newest entry, as it is: 1 and 1.0 are one key, and two contents.
INSERT INTO _sync_changes (table_name, {{recordColumns}}, key_hash, operation, rank, timestamp, origin, fingerprint)
SELECT
  {{tableName}}, {{recordColumns}}, key_hash, CASE WHEN soft_deleted THEN 'DELETE' ELSE 'INSERT' END,
  nullif(CASE WHEN written_ms = :backfilled THEN :backfilledRank ELSE :rank END, 0),
  sync_stamp(
    :format, row_timestamp, written_ms, CASE WHEN written_ms IS NOT :backfilled THEN :horizonMs END, :nowMs, :maxSkewMs
  ), :origin, unhex(fingerprint)
FROM (
  SELECT
    {{entryColumns}}, raw.key_hash AS key_hash, raw.written_ms AS written_ms,
    {{rowTimestamp}} AS row_timestamp, {{softDeleted}} AS soft_deleted, {{fingerprint}} AS fingerprint
  FROM ({{written}}) AS raw
  CROSS JOIN _sync_changes AS entry ON entry.id = raw.id
  CROSS JOIN {{table}} AS w ON {{rowMatches}}
  WHERE NOT EXISTS (
    SELECT 1 FROM _sync_changes AS old
    WHERE old.key_hash = raw.key_hash AND old.table_name = {{tableName}} AND {{oldMatches}}
  )
  LIMIT -1
)
WHERE fingerprint IS NOT NULL
