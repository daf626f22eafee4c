INSERT INTO main.{{to}} ({{columns}}) SELECT {{values}} FROM main.{{from}} AS t
