-- The rows among a batch of raw entries that have no version yet. LIMIT keeps the inner query whole, so that the
-- fingerprint is made once.
INSERT INTO _sync_changes (table_name, {{recordColumns}}, operation, rank, timestamp, origin, fingerprint)
SELECT
  {{tableName}}, {{recordColumns}}, CASE WHEN soft_deleted THEN 'DELETE' ELSE 'INSERT' END,
  nullif(CASE WHEN written_ms = :backfilled THEN :backfilledRank ELSE :rank END, 0),
  sync_new_stamp(:format, row_timestamp, written_ms, :horizonMs, :nowMs, :maxSkewMs), :origin, unhex(fingerprint)
FROM (
  SELECT
    {{rawColumns}}, raw.written_ms AS written_ms, {{rowTimestamp}} AS row_timestamp, {{softDeleted}} AS soft_deleted,
    {{fingerprint}} AS fingerprint
  FROM (
    SELECT
      {{recordColumns}},
      max(CASE WHEN operation <> 'DELETE' THEN timestamp END) AS written_ms
    FROM _sync_changes
    WHERE id > :folded AND id <= :last AND origin IS NULL AND table_name = {{tableName}} AND {{recordIsWhole}}
    GROUP BY {{recordColumns}}
  ) AS raw
  JOIN {{table}} AS w ON {{rowMatches}}
  WHERE NOT EXISTS (
    SELECT 1 FROM _sync_changes AS old
    WHERE old.table_name = {{tableName}} AND {{oldMatches}} AND old.origin IS NOT NULL
  )
  ORDER BY {{rawColumns}}
  LIMIT -1
)
WHERE fingerprint IS NOT NULL
