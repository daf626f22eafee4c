-- The entry that was open, when this one came, for another version with the same content: that one stands for both.
ALTER TABLE _sync_conflicts ADD COLUMN copy_of INTEGER;
