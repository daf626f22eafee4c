SELECT number FROM _sync_migrations ORDER BY number
