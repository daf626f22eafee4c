-- Rows that have a whole key; SQLite counts all of them page by page, and finds those with NULL by the key's index.
SELECT (SELECT count(*) FROM {{table}}) - (SELECT count(*) FROM {{table}} WHERE {{keyHasNull}}) AS rows
