-- Which side this replica had when the two versions met: `winner` or `loser`. Of older entries it counts what is here now.
ALTER TABLE _sync_conflicts ADD COLUMN local_side TEXT NOT NULL DEFAULT 'winner';
-- The winner's key (JSON), where two rows claimed one unique value; null where both sides are versions of one row.
ALTER TABLE _sync_conflicts ADD COLUMN winner_key TEXT;
-- When a version arrived or was made that has seen the loser, ms; null while the conflict is open.
ALTER TABLE _sync_conflicts ADD COLUMN settled_ms INTEGER;
CREATE INDEX _sync_open_conflicts ON _sync_conflicts (table_name, record_key) WHERE settled_ms IS NULL;
