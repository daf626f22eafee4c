-- A new instance knows nothing of what its peers have, and they nothing of it.
DELETE FROM _sync_peers
