-- A change that is stamped too far ahead of this machine's clock is tried again once the clock is at this time, in ms
-- since 1970; null where its reason is another one.
ALTER TABLE _sync_quarantine ADD COLUMN due_ms INTEGER;
CREATE INDEX _sync_quarantine_due ON _sync_quarantine (due_ms) WHERE due_ms IS NOT NULL;
