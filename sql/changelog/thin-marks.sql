-- Keeps the newest marks and those that a cursor rests on which a peer has acknowledged, or was given and may have stored.
DELETE FROM _sync_marks
WHERE log_id < :newestKept
  AND log_id NOT IN (
    SELECT (SELECT min(m.log_id) FROM _sync_marks AS m WHERE m.log_id >= stored.log_id)
    FROM (
      SELECT acknowledged AS log_id FROM _sync_peers WHERE acknowledged IS NOT NULL
      UNION
      SELECT list.value FROM _sync_peers AS p, json_each(p.handed) AS list WHERE p.handed IS NOT NULL
    ) AS stored
  )
