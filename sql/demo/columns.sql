-- The columns of one table, and the place of each in its key (0: none).
SELECT name, pk AS key_position FROM pragma_table_xinfo(:table) ORDER BY cid
