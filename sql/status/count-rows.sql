-- Reads no further than the limit, however large the table is.
SELECT count(*) AS found FROM (SELECT 1 FROM {{table}} LIMIT CAST(:limit AS INTEGER))
