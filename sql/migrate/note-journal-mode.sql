UPDATE _sync_replica SET journal_mode = coalesce(journal_mode, {{journalMode}})
