DELETE FROM main.sqlite_sequence WHERE name = {{name}}
