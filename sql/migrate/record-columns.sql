-- How many key columns the changelog can hold now.
SELECT count(*) AS columns FROM pragma_table_info('_sync_changes') WHERE name = 'record_id' OR name LIKE 'record\_id\_%' ESCAPE '\'
