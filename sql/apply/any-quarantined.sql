SELECT EXISTS (SELECT 1 FROM _sync_quarantine) AS found
