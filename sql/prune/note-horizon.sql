-- Nothing that is written from here on may count as older than what goes now.
INSERT INTO _sync_pruned (table_name, stamp, rank)
SELECT table_name, max(max(timestamp, coalesce(floor, 0))), max(coalesce(rank, 0))
FROM _sync_changes
WHERE id > :after AND id <= :last AND origin IS NOT NULL AND fingerprint IS NULL
GROUP BY table_name
ON CONFLICT (table_name) DO UPDATE SET stamp = max(stamp, excluded.stamp), rank = max(rank, excluded.rank)
