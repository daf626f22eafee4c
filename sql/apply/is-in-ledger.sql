SELECT EXISTS (
  SELECT 1 FROM _sync_conflicts
  WHERE table_name = :table AND record_key = :key
    AND loser_stamp = :stamp AND loser_origin = :origin AND loser_fingerprint = :fingerprint
) AS found
