-- Whether this version was overruled and is in the ledger, or was dropped from the quarantine.
SELECT
  EXISTS (
    SELECT 1 FROM _sync_conflicts
    WHERE table_name = :table AND record_key = :key
      AND loser_stamp = :stamp AND loser_origin = :origin AND loser_fingerprint = :fingerprint
  )
  OR EXISTS (
    SELECT 1 FROM _sync_dropped
    WHERE table_name = :table AND record_key = :key
      AND stamp = :stamp AND origin = :origin AND fingerprint = :fingerprint
  ) AS found
