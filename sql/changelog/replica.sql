SELECT node, epoch, folded, born_ms AS bornMs, renewed, pruned FROM _sync_replica
