-- What the puller authored, but came from elsewhere; and what its author's log had where the puller claims that log.
(
  (c.origin IS :pullerOrigin OR coalesce(c.origin_seq <= json_extract(:claimed, '$."' || c.origin || '"'), 0))
  AND NOT {{mayBePruned}}
)
