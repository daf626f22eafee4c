-- Versions of rows that are there, a column for each table: to group them would sort the whole log.
SELECT {{counts}}
FROM source._sync_changes
WHERE origin IS NOT NULL
