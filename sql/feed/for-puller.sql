-- Neither what the puller authored itself nor what it has; but a deletion that it may have pruned is new to it.
(c.origin IS NOT :pullerOrigin {{notHad}} OR (
  c.fingerprint IS NULL
  AND c.timestamp <= (SELECT p.stamp FROM _sync_pruned AS p WHERE p.table_name = c.table_name)
))
