-- SQLite enters a table there with its first row.
INSERT INTO main.sqlite_sequence (name, seq) SELECT name, seq FROM temp._convert_ids_sequence WHERE name = {{name}}
