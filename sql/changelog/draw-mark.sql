-- A length that has its mark keeps it: cursors rest on it.
INSERT INTO _sync_marks (log_id, mark) VALUES (:logId, :mark) ON CONFLICT DO NOTHING
