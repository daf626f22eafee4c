-- The keys of entries that no fold has read: their rows are newer than their versions.
CREATE TEMP TABLE unfolded AS
SELECT table_name, {{recordColumns}} FROM _sync_changes WHERE id > {{folded}} AND origin IS NULL LIMIT {{limit}}
