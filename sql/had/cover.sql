UPDATE _sync_served SET covered = (away = 0)
