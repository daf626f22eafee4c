DELETE FROM _sync_marks
