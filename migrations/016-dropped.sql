-- Versions that a person dropped from the quarantine: whoever names one again need not send it.
CREATE TABLE _sync_dropped (
  table_name TEXT NOT NULL,
  record_key TEXT NOT NULL,
  stamp INTEGER NOT NULL,
  origin TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  PRIMARY KEY (table_name, record_key, stamp, origin, fingerprint)
) WITHOUT ROWID;
