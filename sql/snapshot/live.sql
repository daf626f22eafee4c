-- Versions of rows that are there, by table; in the order of the log, since an index would only lead to the entries one by one.
SELECT table_name AS name, count(fingerprint) AS live
FROM source._sync_changes NOT INDEXED
WHERE origin IS NOT NULL
GROUP BY table_name
