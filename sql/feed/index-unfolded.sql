CREATE INDEX IF NOT EXISTS temp.unfolded_key ON unfolded (table_name, {{recordColumns}})
