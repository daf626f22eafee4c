INSERT INTO _sync_quarantine (table_name, record_key, change, peer, reason, since_ms, due_ms)
VALUES (:table, :key, :change, :peer, :reason, :sinceMs, :dueMs)
ON CONFLICT (table_name, record_key)
DO UPDATE SET change = excluded.change, peer = excluded.peer, reason = excluded.reason,
  since_ms = excluded.since_ms, due_ms = excluded.due_ms
