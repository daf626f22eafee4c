SELECT log_id AS logId FROM _sync_had WHERE table_name = :table AND instance = :instance
