INSERT INTO _sync_dropped (table_name, record_key, stamp, origin, fingerprint)
VALUES (:table, :key, :stamp, :origin, :fingerprint)
ON CONFLICT DO NOTHING
