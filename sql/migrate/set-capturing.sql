UPDATE _sync_replica SET capturing = {{capturing}}
