-- The SHA-256 of the file whose pages brought the cursor where it is, and that counts for claims; NULL where something else
-- moved it last. An import that was interrupted goes on by it.
ALTER TABLE _sync_peers ADD COLUMN imported TEXT;
