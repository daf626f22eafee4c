SELECT log_id AS logId, mark FROM _sync_marks ORDER BY log_id DESC LIMIT 1
