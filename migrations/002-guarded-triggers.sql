-- The app's own triggers that rest while remote changes are applied, with the text that `migrate --down` puts back.
CREATE TABLE _sync_guarded_triggers (name TEXT PRIMARY KEY, sql TEXT NOT NULL) WITHOUT ROWID;
