CREATE TEMP TABLE IF NOT EXISTS unfolded AS SELECT table_name, {{recordColumns}} FROM _sync_changes WHERE 0
