-- The tombstones after a place in the log, and the stamp of the oldest.
SELECT count(*) AS tombstones, min(timestamp) AS oldestMs FROM _sync_changes
WHERE id > :after AND origin IS NOT NULL AND fingerprint IS NULL
