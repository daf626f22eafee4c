-- Joined: a list after IN is made a table of its own first.
SELECT c.key_hash AS hash FROM json_each(?) AS asked CROSS JOIN _sync_changes AS c ON c.key_hash = asked.value
