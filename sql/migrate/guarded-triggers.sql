SELECT name, sql FROM _sync_guarded_triggers ORDER BY name
