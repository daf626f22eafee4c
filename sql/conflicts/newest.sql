-- The ledger, newest first; with `:all` the settled entries too.
SELECT id, table_name, record_key, winner_key, local_side, decided_by, found_ms, settled_ms, copy_of, loser, winner
FROM _sync_conflicts
WHERE :all OR settled_ms IS NULL
ORDER BY id DESC
LIMIT CAST(:limit AS INTEGER)
