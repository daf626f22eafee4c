DROP TABLE main.{{table}}
