SELECT max(log_id) AS log_id FROM _sync_marks WHERE mark = :mark
