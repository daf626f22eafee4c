DELETE FROM _sync_backfill WHERE table_name = {{tableName}}
