-- The newest log id ever given, deleted entries included.
SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = '_sync_changes'), 0) AS head
