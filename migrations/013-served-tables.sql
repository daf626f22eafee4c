-- The tables whose versions peers have been served. `away`: not at present, for the table is missing, does not fit, or is
-- configured no more; cursors go past its versions then, so they enter the log again when it is back.
CREATE TABLE _sync_served (table_name TEXT PRIMARY KEY COLLATE NOCASE, away INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
