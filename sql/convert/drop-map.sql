DROP TABLE temp.{{map}}
