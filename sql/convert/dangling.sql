SELECT "table" AS child, parent, count(*) AS rows FROM pragma_foreign_key_check GROUP BY "table", parent ORDER BY 1, 2
