SELECT EXISTS (SELECT 1 FROM _sync_changes WHERE id > :folded AND origin IS NULL) AS found
