-- A deletion that the puller may have pruned: it is new to it, whatever it has had.
(
  c.fingerprint IS NULL
  AND c.timestamp <= (SELECT p.stamp FROM _sync_pruned AS p WHERE p.table_name = c.table_name)
)
