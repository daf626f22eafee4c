SELECT parent, count(*) AS rows FROM pragma_foreign_key_check(:table) GROUP BY parent ORDER BY 1
