-- Once per loser; one that nobody has decided is open again when it comes back.
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
  winner_key = NULL,
  decided_by = excluded.decided_by
WHERE excluded.decided_by = 'nobody' AND settled_ms IS NOT NULL
