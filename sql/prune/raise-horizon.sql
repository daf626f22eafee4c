INSERT INTO _sync_pruned (table_name, stamp, rank) VALUES (:table, :stamp, :rank)
ON CONFLICT (table_name) DO UPDATE SET stamp = max(stamp, excluded.stamp), rank = max(rank, excluded.rank)
WHERE stamp < excluded.stamp OR rank < excluded.rank
