-- How many rows of a table refer to no row, by foreign key, counted up to a bound over all of them.
SELECT fkid AS id, count(*) AS found
FROM (SELECT fkid FROM pragma_foreign_key_check(:table) LIMIT CAST(:limit AS INTEGER))
GROUP BY fkid ORDER BY fkid
