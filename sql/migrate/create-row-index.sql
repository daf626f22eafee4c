CREATE INDEX _sync_changes_row ON _sync_changes (table_name, {{recordColumns}}) WHERE origin IS NOT NULL
