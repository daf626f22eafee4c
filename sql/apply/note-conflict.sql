INSERT INTO _sync_conflicts
  (table_name, record_key, found_ms, loser_stamp, loser_origin, loser_fingerprint, loser, winner, local_side, winner_key)
VALUES (:table, :key, :foundMs, :loserStamp, :loserOrigin, :loserFingerprint, :loser, :winner, :localSide, :winnerKey)
ON CONFLICT DO NOTHING
