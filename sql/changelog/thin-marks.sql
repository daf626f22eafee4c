-- Keeps the newest marks and the one that each peer's acknowledgement rests on.
DELETE FROM _sync_marks
WHERE log_id < :newestKept
  AND log_id NOT IN (
    SELECT (SELECT min(m.log_id) FROM _sync_marks AS m WHERE m.log_id >= p.acknowledged)
    FROM _sync_peers AS p WHERE p.acknowledged IS NOT NULL
  )
