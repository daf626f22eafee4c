-- Of whom a row came is known for certain only with the cursor that moves behind it.
UPDATE _sync_changes SET via = NULL WHERE id > :head AND via IS NOT NULL
