-- The newest cursor of its log with which this replica had everything of the peer. Kept where the pull starts over: a log
-- that has it no more was rewound.
ALTER TABLE _sync_peers ADD COLUMN witness TEXT;
