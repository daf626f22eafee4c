-- The versions of one table in a stretch of the log, at its end once more.
INSERT INTO _sync_changes
  (table_name, {{recordColumns}}, key_hash, operation, timestamp, origin, fingerprint, seen, rank, floor, origin_seq)
SELECT table_name, {{recordColumns}}, key_hash, operation, timestamp, origin, fingerprint, seen, rank, floor, origin_seq
FROM _sync_changes
WHERE id > :after AND id <= :last AND +table_name = {{tableName}} AND origin IS NOT NULL
ORDER BY id
