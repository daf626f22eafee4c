-- Rows that have no counterpart, or another one than they should.
SELECT count(*) AS rows FROM main.{{from}} AS o LEFT JOIN main.{{to}} AS n ON {{match}} WHERE NOT coalesce({{equal}}, 0)
