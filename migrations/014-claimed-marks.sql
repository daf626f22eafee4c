-- Claims say from here on which mark their log had (JSON: instance to log id and mark). What was claimed without one is
-- forgotten, and told again.
UPDATE _sync_members SET claims = '{}';
UPDATE _sync_peers SET members_hash = NULL;
