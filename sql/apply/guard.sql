UPDATE _sync_guard SET applying = :applying
