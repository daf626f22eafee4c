-- Versions of rows that are there, by table.
SELECT table_name AS name, count(fingerprint) AS live
FROM source._sync_changes
WHERE origin IS NOT NULL
GROUP BY table_name
