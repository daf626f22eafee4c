-- The version that a key has here, and the newest stamp that one of its versions ever had. `+`: where the log was analyzed,
-- SQLite would compile this anew for each hash that it is to find.
SELECT
  id, coalesce(rank, 0) AS rank, timestamp AS stamp, max(timestamp, coalesce(floor, 0)) AS newestMs, origin,
  lower(hex(fingerprint)) AS fingerprint, seen
FROM _sync_changes
WHERE key_hash = +? AND table_name = {{tableName}} AND {{recordIs}}
