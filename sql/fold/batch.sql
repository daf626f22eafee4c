-- The next raw entries: how many there are up to the limit, and the last of them.
SELECT count(*) AS entries, max(id) AS last
FROM (SELECT id FROM _sync_changes WHERE id > :folded AND origin IS NULL ORDER BY id LIMIT :limit)
