INSERT INTO _sync_peers (name, acknowledged, acknowledged_epoch, acknowledged_ms)
VALUES (:name, :acknowledged, :epoch, :nowMs)
ON CONFLICT (name) DO UPDATE SET
  acknowledged = excluded.acknowledged,
  acknowledged_epoch = excluded.acknowledged_epoch,
  acknowledged_ms = excluded.acknowledged_ms
WHERE acknowledged IS NOT excluded.acknowledged OR acknowledged_epoch IS NOT excluded.acknowledged_epoch
