-- Rows that were added since are numbered on.
INSERT INTO temp.{{map}} (old, new)
SELECT place + max({{base}}, (SELECT coalesce(max(old), 0) FROM temp.{{map}})), key
FROM (
  SELECT {{column}} AS key, row_number() OVER (ORDER BY {{column}} COLLATE BINARY) AS place
  FROM main.{{table}}
  WHERE typeof({{column}}) = 'text' AND {{column}} COLLATE BINARY NOT IN (SELECT new FROM temp.{{map}})
)
