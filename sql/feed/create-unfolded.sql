-- The keys of entries that no fold has read: their rows are newer than their versions.
CREATE TEMP TABLE unfolded (id INTEGER PRIMARY KEY, table_name, {{recordColumns}})
