-- The changelog and what goes with it. Never edited once released; a change is a new file.

-- This replica: exactly one row.
CREATE TABLE _sync_replica (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  node TEXT NOT NULL,
  epoch TEXT NOT NULL,
  -- every entry up to here is folded; those after it may be raw
  folded INTEGER NOT NULL DEFAULT 0,
  -- 0 after `migrate --down`: the triggers are gone on purpose
  capturing INTEGER NOT NULL DEFAULT 1,
  -- what `migrate --down` puts back; null where it was not changed
  journal_mode TEXT
);

-- Exactly one row. The triggers are silent while it says 1, which it does only inside an apply transaction.
CREATE TABLE _sync_guard (applying INTEGER NOT NULL);
INSERT INTO _sync_guard (applying) VALUES (0);

-- The changelog. A trigger appends raw entries: key, operation, and the capture time where it is needed. The fold
-- turns them into versions: one entry a row, `origin` set, `timestamp` its stamp, `fingerprint` null for a tombstone.
-- Nothing here can make an app's write fail: no NOT NULL, no CHECK, no unique index.
CREATE TABLE _sync_changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  table_name TEXT,
  record_id,
  operation TEXT,
  timestamp INTEGER,
  origin INTEGER,
  fingerprint BLOB,
  seen TEXT
);

-- Instances (node@epoch) that authored versions, numbered to keep the changelog small.
CREATE TABLE _sync_origins (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

-- A random value drawn whenever the changelog had grown to `log_id`: tells a rewound log from the one a cursor is of.
CREATE TABLE _sync_marks (log_id INTEGER PRIMARY KEY, mark TEXT NOT NULL);

-- What is known of each peer: where our next pull starts, and what it has acknowledged of ours. Times in ms.
CREATE TABLE _sync_peers (
  name TEXT PRIMARY KEY,
  epoch TEXT,
  cursor TEXT NOT NULL DEFAULT '',
  behind INTEGER,
  last_applied_ms INTEGER,
  acknowledged INTEGER,
  acknowledged_epoch TEXT,
  acknowledged_ms INTEGER
) WITHOUT ROWID;

-- What last-write-wins overruled here: both versions in full, as they travel (JSON).
CREATE TABLE _sync_conflicts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  table_name TEXT NOT NULL,
  record_key TEXT NOT NULL,
  found_ms INTEGER NOT NULL,
  loser_stamp INTEGER NOT NULL,
  loser_origin TEXT NOT NULL,
  loser_fingerprint TEXT NOT NULL,
  loser TEXT NOT NULL,
  winner TEXT NOT NULL,
  UNIQUE (table_name, record_key, loser_stamp, loser_origin, loser_fingerprint)
);

-- Changes that could not be applied here, in full as they travelled (JSON), one a row.
CREATE TABLE _sync_quarantine (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  table_name TEXT NOT NULL,
  record_key TEXT NOT NULL,
  change TEXT NOT NULL,
  peer TEXT NOT NULL,
  reason TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  UNIQUE (table_name, record_key)
);

-- How far `backfill` has come: the key after which it goes on (JSON), null before the first batch.
CREATE TABLE _sync_backfill (
  table_name TEXT PRIMARY KEY,
  after_key TEXT,
  done INTEGER NOT NULL DEFAULT 0,
  -- 1: a captured table lacked its triggers for a while, 2: rows vanished by REPLACE; the daemon looks by itself
  gap INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- For tables where a REPLACE can evict rows of other keys, which fires no trigger: how many rows have a version, and how
-- many more the table holds. A row vanished when the two no longer add up.
CREATE TABLE _sync_counts (
  table_name TEXT PRIMARY KEY,
  live INTEGER NOT NULL,
  difference INTEGER NOT NULL
) WITHOUT ROWID;
