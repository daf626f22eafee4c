-- What counts ahead of the stamp: how often the row was edited on its preferred replica. Null is 0.
ALTER TABLE _sync_changes ADD COLUMN rank INTEGER;
-- The newest stamp that the row had here, where its present version has a lower one and won by rank. Stays here.
ALTER TABLE _sync_changes ADD COLUMN floor INTEGER;
-- Who decided when the two versions met: `version`, `resolver`, or `nobody`, so that each side stays where it is.
ALTER TABLE _sync_conflicts ADD COLUMN decided_by TEXT NOT NULL DEFAULT 'version';
