-- Which instance (a number of _sync_origins) a version came from: that one need not be told of it. NULL: none.
ALTER TABLE _sync_changes ADD COLUMN via INTEGER;
