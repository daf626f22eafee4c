DROP INDEX IF EXISTS _sync_changes_row
