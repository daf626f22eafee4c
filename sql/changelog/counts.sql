-- Counted rows, unless the table waits to be looked at anyway.
SELECT live, difference FROM _sync_counts AS c
WHERE table_name = :table
  AND NOT EXISTS (SELECT 1 FROM _sync_backfill AS b WHERE b.table_name = c.table_name AND (b.gap > 0 OR b.done = 0))
