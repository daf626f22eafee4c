SELECT coalesce(max(log_id), 0) AS log_id FROM _sync_marks
