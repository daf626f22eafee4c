-- Versions of rows of one table that are there.
SELECT {{tableName}} AS name, count(fingerprint) AS live
FROM source._sync_changes
WHERE origin IS NOT NULL AND table_name = {{tableName}}
