UPDATE _sync_replica SET node = :node, epoch = :epoch, renewed = 1
