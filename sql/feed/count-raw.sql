-- Entries that no fold has read, counted up to a bound.
SELECT count(*) AS entries
FROM (SELECT 1 FROM _sync_changes WHERE id > :folded AND origin IS NULL LIMIT CAST(:limit AS INTEGER))
