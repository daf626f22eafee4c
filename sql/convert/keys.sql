SELECT old, new FROM temp.{{map}} ORDER BY old
