SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = '_sync_changes_row') AS found
