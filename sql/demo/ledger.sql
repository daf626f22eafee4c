SELECT table_name, record_key, loser_stamp, loser_origin, loser, winner FROM _sync_conflicts ORDER BY id
