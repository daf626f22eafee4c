-- A newly captured table: what peers hold of it lies before our cursors.
UPDATE _sync_peers SET cursor = ''
