INSERT INTO main.{{table}} ({{columns}})
SELECT {{columns}} FROM source.{{table}} AS w
WHERE {{kept}}
ORDER BY {{key}}
