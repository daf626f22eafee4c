SELECT live, difference FROM _sync_counts WHERE table_name = :table
