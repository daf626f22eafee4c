SELECT EXISTS (SELECT 1 FROM _sync_quarantine WHERE due_ms IS NOT NULL AND due_ms <= :nowMs) AS found
