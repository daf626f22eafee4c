-- The tables whose versions peers have been served. `away`: not at present, for the table is missing, does not fit, or is
-- configured no more; cursors go past its versions then, so they enter the log again when it is back. `covered`: the
-- present claims are about it too.
CREATE TABLE _sync_served (
  table_name TEXT PRIMARY KEY COLLATE NOCASE,
  away INTEGER NOT NULL DEFAULT 0,
  covered INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
-- What was claimed once, by table: everything in this instance's log up to there was here, and may be deleted by now.
CREATE TABLE _sync_had (
  table_name TEXT NOT NULL COLLATE NOCASE,
  instance TEXT NOT NULL,
  log_id INTEGER NOT NULL,
  PRIMARY KEY (table_name, instance)
) WITHOUT ROWID;
