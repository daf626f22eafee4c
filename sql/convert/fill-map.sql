-- Every number that is a key, or stands where one is referred to, in order.
INSERT INTO temp.{{map}} (old, new)
SELECT old, {{uuid}}
FROM (
  SELECT old, row_number() OVER (ORDER BY old) AS place
  FROM ({{numbers}})
  WHERE old IS NOT NULL AND old NOT IN (SELECT old FROM temp.{{map}})
)
ORDER BY old
