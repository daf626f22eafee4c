INSERT INTO _sync_migrations (number, name, applied_ms) VALUES ({{number}}, {{name}}, {{appliedMs}})
