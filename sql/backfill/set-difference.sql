UPDATE _sync_counts SET difference = :difference WHERE table_name = :table
