-- Whether `migrate` has ever run here.
SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_sync_migrations') AS found
