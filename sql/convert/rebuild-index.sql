INSERT INTO main.{{table}} ({{table}}) VALUES ('rebuild')
