-- How many gaps were found in the table so far: who closes one sees by it whether another was found meanwhile.
ALTER TABLE _sync_backfill ADD COLUMN gaps INTEGER NOT NULL DEFAULT 0;
