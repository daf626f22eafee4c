SELECT id, change FROM _sync_quarantine WHERE table_name = :table AND record_key = :key
