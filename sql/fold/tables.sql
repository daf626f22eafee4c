SELECT table_name AS name, count(*) AS entries
FROM _sync_changes WHERE id > :folded AND id <= :last AND origin IS NULL
GROUP BY table_name
ORDER BY table_name
