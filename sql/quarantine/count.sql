SELECT count(*) AS held FROM _sync_quarantine
