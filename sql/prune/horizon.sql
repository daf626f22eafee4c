SELECT stamp, rank FROM _sync_pruned WHERE table_name = :table
