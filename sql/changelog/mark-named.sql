SELECT log_id FROM _sync_marks WHERE log_id >= :logId AND mark = :mark LIMIT 1
