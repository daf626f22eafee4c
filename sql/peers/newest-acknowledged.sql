SELECT coalesce(max(acknowledged), 0) AS acknowledged FROM _sync_peers
