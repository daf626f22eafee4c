-- What is known and what is held of rows by another key than they have now.
DELETE FROM _sync_changes WHERE table_name = {{tableName}};
UPDATE _sync_counts SET live = 0, difference = 0 WHERE table_name = {{tableName}};
DELETE FROM _sync_quarantine WHERE table_name = {{tableName}}
