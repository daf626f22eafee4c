-- The version that a key has here.
SELECT id, timestamp AS stamp, origin, lower(hex(fingerprint)) AS fingerprint, seen
FROM _sync_changes
WHERE table_name = {{tableName}} AND {{recordIs}} AND origin IS NOT NULL
