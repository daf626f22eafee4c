UPDATE _sync_counts SET live = live + :change WHERE table_name = :table
