SELECT DISTINCT table_name AS name FROM _sync_changes WHERE id > :folded AND id <= :last AND origin IS NULL
