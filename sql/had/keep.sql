-- Claims that are about to be given up, and our own log as far as it goes.
INSERT INTO _sync_had (table_name, instance, log_id)
SELECT s.table_name, c.key, json_extract(c.value, '$.log_id')
FROM _sync_served AS s, json_each((
  SELECT json_set(
    coalesce((SELECT m.claims FROM _sync_members AS m WHERE m.node = r.node AND m.epoch = r.epoch), '{}'),
    '$."' || r.node || '@' || r.epoch || '"', json_object('log_id', :head)
  )
  FROM _sync_replica AS r
)) AS c
WHERE s.covered = 1 AND json_extract(c.value, '$.log_id') > 0
ON CONFLICT (table_name, instance) DO UPDATE SET log_id = max(log_id, excluded.log_id)
