SELECT id, loser_stamp AS stamp, loser_origin AS origin, loser_fingerprint AS fingerprint, loser,
  winner_key AS winnerKey
FROM _sync_conflicts
WHERE table_name = :table AND record_key = :key AND settled_ms IS NULL
