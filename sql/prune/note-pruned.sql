UPDATE _sync_replica SET pruned = max(
  pruned,
  (SELECT max(id) FROM _sync_changes WHERE id > :after AND id <= :last AND origin IS NOT NULL AND fingerprint IS NULL)
)
