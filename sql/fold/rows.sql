-- Each key that a batch of raw entries names, sorted: what was captured, the row as it is now, and the version it has.
SELECT
  raw.id AS rawId,
  raw.key_hash AS keyHash,
  raw.written_ms AS writtenMs,
  raw.deleted_ms AS deletedMs,
  {{present}} AS present,
  {{rowTimestamp}} AS rowTimestamp,
  {{softDeleted}} AS softDeleted,
  CASE WHEN {{present}} THEN {{fingerprint}} END AS fingerprint,
  old.id AS oldId,
  coalesce(old.rank, 0) AS oldRank,
  max(old.timestamp, coalesce(old.floor, 0)) AS oldNewestMs,
  old.timestamp AS oldStamp,
  old.origin AS oldOrigin,
  lower(hex(old.fingerprint)) AS oldFingerprint,
  old.seen AS oldSeen
FROM (
  SELECT
    max(id) AS id,
    {{recordColumns}},
    {{keyHash}} AS key_hash,
    max(CASE WHEN operation <> 'DELETE' THEN timestamp END) AS written_ms,
    max(CASE WHEN operation = 'DELETE' THEN timestamp END) AS deleted_ms
  FROM _sync_changes
  WHERE id > :folded AND id <= :last AND origin IS NULL AND table_name = {{tableName}} AND {{recordIsWhole}}
  GROUP BY {{recordColumns}}
) AS raw
LEFT JOIN {{table}} AS w ON {{rowMatches}}
LEFT JOIN _sync_changes AS old
  ON old.key_hash = raw.key_hash AND old.table_name = {{tableName}} AND {{oldMatches}}
-- Not what the same batch has just entered.
WHERE old.id IS NULL OR old.id <= :newest
ORDER BY {{rawColumns}}
