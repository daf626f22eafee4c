INSERT INTO _sync_replica (id, node, epoch, journal_mode) VALUES (1, {{node}}, {{epoch}}, {{journalMode}})
