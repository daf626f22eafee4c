-- A version takes the key of a raw entry as it is, so that no type and no byte of it passes through JavaScript.
INSERT INTO _sync_changes (table_name, {{recordColumns}}, key_hash, operation, rank, timestamp, origin, fingerprint, seen)
SELECT
  table_name, {{recordColumns}}, :keyHash, :operation, nullif(:rank, 0), :stamp, :origin, unhex(nullif(:fingerprint, '')), :seen
FROM _sync_changes WHERE id = :rawId
