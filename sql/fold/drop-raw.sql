DELETE FROM _sync_changes WHERE id > :folded AND id <= :last AND origin IS NULL
