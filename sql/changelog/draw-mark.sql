INSERT OR REPLACE INTO _sync_marks (log_id, mark) VALUES (:logId, :mark)
