UPDATE _sync_replica SET folded = :folded WHERE folded <> :folded
