ALTER TABLE _sync_changes ADD COLUMN {{column}}
