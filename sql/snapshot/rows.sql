SELECT count(*) AS rows FROM source.{{table}}
