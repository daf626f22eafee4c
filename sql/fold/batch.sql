-- The next raw entries: how many there are up to the limit, the last of them, and whether there are more behind it.
SELECT entries, last,
  EXISTS (SELECT 1 FROM _sync_changes WHERE id > last AND origin IS NULL) AS more
FROM (
  SELECT count(*) AS entries, max(id) AS last
  FROM (SELECT id FROM _sync_changes WHERE id > :folded AND origin IS NULL ORDER BY id LIMIT CAST(:limit AS INTEGER))
)
