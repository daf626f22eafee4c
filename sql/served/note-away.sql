UPDATE _sync_served SET away = 1 WHERE away = 0 AND table_name NOT IN (SELECT value FROM json_each(:tables))
