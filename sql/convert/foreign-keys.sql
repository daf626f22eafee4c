SELECT "from" AS child, "table" AS parent, "to" AS key, id FROM pragma_foreign_key_list(:table) ORDER BY id, seq
