-- What is known of authors, of the other replicas, and of what was pruned.
INSERT INTO main._sync_origins (id, name) SELECT id, name FROM source._sync_origins;
INSERT INTO main._sync_members (node, epoch, born_ms, told_ms, held, tables, forgotten_ms, claims)
SELECT node, epoch, born_ms, told_ms, held, tables, forgotten_ms, claims FROM source._sync_members;
INSERT INTO main._sync_pruned (table_name, stamp, rank)
SELECT table_name, stamp, rank FROM source._sync_pruned
WHERE table_name IN (SELECT known.table_name FROM main._sync_known_keys AS known)
