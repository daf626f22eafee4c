-- The rows among a batch of raw entries whose live version says something else, where a new one has seen at most that
-- one's author. LIMIT keeps the inner query whole, so that the fingerprint is made once; CROSS keeps the order of the
-- keys without another sort. A key is taken from its newest entry, as it is.
INSERT INTO _sync_changes (table_name, {{recordColumns}}, key_hash, operation, rank, timestamp, origin, fingerprint, seen)
SELECT
  {{tableName}}, {{recordColumns}}, key_hash, CASE WHEN soft_deleted THEN 'DELETE' ELSE 'UPDATE' END,
  nullif(min(old_rank + :rankStep, :maxRank), 0),
  sync_stamp(:format, row_timestamp, written_ms, old_newest_ms, :nowMs, :maxSkewMs), :origin, unhex(fingerprint), seen
FROM (
  SELECT
    {{entryColumns}}, raw.key_hash AS key_hash, raw.written_ms AS written_ms,
    {{rowTimestamp}} AS row_timestamp, {{softDeleted}} AS soft_deleted, {{fingerprint}} AS fingerprint,
    coalesce(old.rank, 0) AS old_rank,
    max(old.timestamp, coalesce(old.floor, 0)) AS old_newest_ms,
    old.fingerprint AS old_fingerprint,
    CASE WHEN old.origin <> :origin THEN json_object(author.name, old.timestamp) END AS seen
  FROM ({{written}}) AS raw
  CROSS JOIN _sync_changes AS entry ON entry.id = raw.id
  CROSS JOIN {{table}} AS w ON {{rowMatches}}
  CROSS JOIN _sync_changes AS old
    ON old.key_hash = raw.key_hash AND old.table_name = {{tableName}} AND {{oldMatches}}
  CROSS JOIN _sync_origins AS author ON author.id = old.origin
  WHERE +old.id <= :newest AND old.fingerprint IS NOT NULL AND old.seen IS NULL
  LIMIT -1
)
WHERE fingerprint IS NOT NULL AND unhex(fingerprint) <> old_fingerprint
