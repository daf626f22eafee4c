SELECT log_id, mark FROM _sync_marks WHERE log_id >= :logId ORDER BY log_id LIMIT 1
