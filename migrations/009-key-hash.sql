-- By which the version of a row is found: a hash of table and key, since the whole key would stand in the index once more.
-- Null in raw entries, so that no index is touched where a trigger appends one.
ALTER TABLE _sync_changes ADD COLUMN key_hash INTEGER;
DROP INDEX IF EXISTS _sync_changes_row;
CREATE INDEX _sync_changes_row ON _sync_changes (key_hash) WHERE key_hash IS NOT NULL;
