-- Log ids (JSON) of the cursors that the peer was given last and may have stored, though it has not come back with them.
ALTER TABLE _sync_peers ADD COLUMN handed TEXT;
