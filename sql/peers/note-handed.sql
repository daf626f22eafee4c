INSERT INTO _sync_peers (name, handed) VALUES (:name, :handed)
ON CONFLICT (name) DO UPDATE SET handed = excluded.handed
