SELECT table_name AS name FROM _sync_served WHERE away = :away
