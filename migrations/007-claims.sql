-- When what this replica claims began: its epoch was drawn, or its tables became others. ms.
ALTER TABLE _sync_replica ADD COLUMN born_ms INTEGER NOT NULL DEFAULT 0;
-- 1 where the epoch is not the first one of this file: a copy, or a restored backup.
ALTER TABLE _sync_replica ADD COLUMN renewed INTEGER NOT NULL DEFAULT 0;
-- The newest log id whose tombstone was pruned.
ALTER TABLE _sync_replica ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0;
-- The log id that the version has in its author's log; null where that is unknown, and for what this instance authored.
ALTER TABLE _sync_changes ADD COLUMN origin_seq INTEGER;
-- 1 while everything is compared, from the start of the peer's log until its head.
ALTER TABLE _sync_peers ADD COLUMN comparing INTEGER NOT NULL DEFAULT 0;
-- 1 where a change of this peer's was dropped from the quarantine and did not come again.
ALTER TABLE _sync_peers ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;
-- Hash of the members that the peer last told us.
ALTER TABLE _sync_peers ADD COLUMN members_hash TEXT;
-- Every replica of the group that was heard of, this one included, each with what it said itself: how many changes it
-- holds in quarantine, a hash of its tables, and its claims (JSON: instance to log id). Times in ms by its own clock.
CREATE TABLE _sync_members (
  node TEXT PRIMARY KEY,
  epoch TEXT NOT NULL,
  born_ms INTEGER NOT NULL,
  told_ms INTEGER NOT NULL,
  held INTEGER NOT NULL,
  tables TEXT NOT NULL,
  forgotten_ms INTEGER,
  claims TEXT NOT NULL
) WITHOUT ROWID;
-- The largest stamp, and the largest rank, of a tombstone that some replica has pruned, by table.
CREATE TABLE _sync_pruned (table_name TEXT PRIMARY KEY, stamp INTEGER NOT NULL, rank INTEGER NOT NULL) WITHOUT ROWID;
