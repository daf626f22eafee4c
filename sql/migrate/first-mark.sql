INSERT INTO _sync_marks (log_id, mark) VALUES (0, {{mark}})
