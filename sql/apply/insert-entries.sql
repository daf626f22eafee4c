INSERT INTO _sync_changes
  (
    table_name, {{recordColumns}}, key_hash, operation, rank, timestamp, floor, origin, fingerprint, seen, origin_seq, via
  )
VALUES {{entries}}
