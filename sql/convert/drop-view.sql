DROP VIEW main.{{view}}
