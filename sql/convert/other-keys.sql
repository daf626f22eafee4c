SELECT count(*) AS rows FROM main.{{table}} WHERE typeof({{column}}) NOT IN ('integer', 'null')
