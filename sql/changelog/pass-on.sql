-- Versions of one instance that no peer has pass to another.
UPDATE _sync_changes
SET origin = (SELECT id FROM _sync_origins WHERE name = :after)
WHERE id > :acknowledged AND origin = (SELECT id FROM _sync_origins WHERE name = :before)
