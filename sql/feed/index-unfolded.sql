CREATE INDEX temp.unfolded_key ON unfolded (table_name, {{recordColumns}})
