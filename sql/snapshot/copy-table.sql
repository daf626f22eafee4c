-- Both tables are the same, the new one is empty: SQLite copies the records as they are, and the entries of the indexes.
INSERT INTO main.{{table}} SELECT * FROM source.{{table}}
