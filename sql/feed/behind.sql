-- Entries after a place that are still for this puller, counted up to a bound.
SELECT count(*) AS behind FROM (
  SELECT 1 FROM _sync_changes AS c
  WHERE c.id > :since AND c.origin IS NOT NULL AND c.table_name IN ({{tableNames}}) AND {{forPuller}}
  LIMIT CAST(:limit AS INTEGER)
)
