-- Whether every row of a table was compared with its version, as far as is known.
SELECT EXISTS (SELECT 1 FROM source._sync_backfill WHERE table_name = :table AND done = 1 AND gap = 0) AS found
