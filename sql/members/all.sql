SELECT node, epoch, born_ms, told_ms, held, tables, forgotten_ms, claims FROM _sync_members ORDER BY node
