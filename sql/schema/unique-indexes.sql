-- The unique indexes of one table with their columns in order; an expression has no column name.
SELECT list.name, list.origin, list.partial, info.name AS column_name, info.coll AS collation
FROM pragma_index_list(:table) AS list, pragma_index_xinfo(list.name) AS info
WHERE list."unique" AND info.key
ORDER BY list.seq, info.seqno
