-- The losers of a key that no version here has seen: those of open entries, and the copies for which these stand.
SELECT id, loser_stamp AS stamp, loser_origin AS origin, loser_fingerprint AS fingerprint, loser,
  winner_key AS winnerKey, 0 AS isCopy
FROM _sync_conflicts
WHERE table_name = :table AND record_key = :key AND settled_ms IS NULL
UNION ALL
SELECT original.id, copy.loser_stamp, copy.loser_origin, copy.loser_fingerprint, copy.loser, copy.winner_key, 1
FROM _sync_conflicts AS copy JOIN _sync_conflicts AS original ON original.id = copy.copy_of
WHERE copy.table_name = :table AND copy.record_key = :key AND original.settled_ms IS NULL
