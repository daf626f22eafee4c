SELECT count(*) AS rows FROM main.{{table}}
