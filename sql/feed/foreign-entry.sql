-- Whether one of the folded entries in a stretch of the log that are for this puller was authored elsewhere.
SELECT 1
FROM _sync_changes AS c
WHERE c.id > :since AND c.id <= :last AND c.origin <> :own AND {{forPuller}}
LIMIT 1
