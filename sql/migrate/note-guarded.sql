INSERT OR REPLACE INTO _sync_guarded_triggers (name, sql) VALUES ({{name}}, {{sql}})
