-- The log id up to which so many entries follow, and how many of them are tombstones.
SELECT max(id) AS last, count(*) AS entries, total(origin IS NOT NULL AND fingerprint IS NULL) AS tombstones
FROM (SELECT id, origin, fingerprint FROM _sync_changes WHERE id > :after AND id <= :upTo ORDER BY id LIMIT CAST(:limit AS INTEGER))
