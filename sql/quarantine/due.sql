-- What has to be tried again by now, oldest first, after an id.
SELECT id, change, peer, reason, since_ms FROM _sync_quarantine
WHERE due_ms IS NOT NULL AND due_ms <= :nowMs AND id > :after
ORDER BY id LIMIT CAST(:limit AS INTEGER)
