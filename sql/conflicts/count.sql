SELECT count(*) AS conflicts FROM _sync_conflicts WHERE :all OR settled_ms IS NULL
