-- Once per loser. It is open again when it comes back and nobody has decided, or when it stood here again, which had settled
-- it, and is overruled as before.
INSERT INTO _sync_conflicts (
  table_name, record_key, found_ms, settled_ms, copy_of, loser_stamp, loser_origin, loser_fingerprint, loser, winner,
  local_side, winner_key, decided_by
)
VALUES (
  :table, :key, :foundMs, :settledMs, :copyOf, :loserStamp, :loserOrigin, :loserFingerprint, :loser, :winner,
  :localSide, :winnerKey, :decidedBy
)
ON CONFLICT (table_name, record_key, loser_stamp, loser_origin, loser_fingerprint) DO UPDATE SET
  found_ms = excluded.found_ms,
  settled_ms = excluded.settled_ms,
  copy_of = excluded.copy_of,
  loser = excluded.loser,
  winner = excluded.winner,
  local_side = excluded.local_side,
  winner_key = excluded.winner_key,
  decided_by = excluded.decided_by
WHERE (excluded.decided_by = 'nobody' OR excluded.local_side = 'loser') AND settled_ms IS NOT NULL
