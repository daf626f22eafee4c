UPDATE _sync_changes SET key_hash = sync_key_hash(table_name, {{recordColumns}}) WHERE origin IS NOT NULL
