UPDATE _sync_served SET away = 0 WHERE table_name = :table
