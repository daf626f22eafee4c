INSERT INTO main.sqlite_sequence (name, seq) SELECT {{name}}, max({{seq}}, (SELECT coalesce(max({{column}}), 0) FROM main.{{table}}))
