SELECT id, table_name, record_key, winner_key, local_side, decided_by, found_ms, settled_ms, loser, winner
FROM _sync_conflicts WHERE id = :id
