SELECT node, epoch, folded FROM _sync_replica
