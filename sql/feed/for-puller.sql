-- Not what the puller authored itself; but a deletion that it may have pruned is new to it.
(c.origin IS NOT :pullerOrigin OR (
  c.fingerprint IS NULL
  AND c.timestamp <= (SELECT p.stamp FROM _sync_pruned AS p WHERE p.table_name = c.table_name)
))
