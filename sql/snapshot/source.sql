-- The source as the read transaction sees it: the first statement that reads it.
SELECT
  r.node, r.epoch, r.renewed,
  (SELECT m.log_id FROM source._sync_marks AS m ORDER BY m.log_id DESC LIMIT 1) AS logId,
  (SELECT m.mark FROM source._sync_marks AS m ORDER BY m.log_id DESC LIMIT 1) AS mark,
  EXISTS (SELECT 1 FROM source._sync_changes AS c WHERE c.id > r.folded AND c.origin IS NULL) AS unfolded
FROM source._sync_replica AS r
