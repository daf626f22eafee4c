-- A new instance knows nothing of what its peers have, and they nothing of it; but what it has seen of their logs it has seen.
UPDATE _sync_peers SET
  epoch = NULL, cursor = '', behind = NULL, last_applied_ms = NULL, comparing = 0, dropped = 0, members_hash = NULL,
  acknowledged = NULL, acknowledged_epoch = NULL, acknowledged_ms = NULL, handed = NULL
