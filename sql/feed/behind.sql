-- Entries after a place that are still for this puller, counted up to a bound.
SELECT count(*) AS behind FROM (
  SELECT 1 FROM _sync_changes
  WHERE id > :since AND origin IS NOT NULL AND origin IS NOT :pullerOrigin AND table_name IN ({{tableNames}})
  LIMIT :limit
)
