SELECT epoch, born_ms FROM _sync_members WHERE node = :node AND born_ms > 0
