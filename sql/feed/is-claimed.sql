-- What its author's log had where the puller claims that log.
(coalesce(c.origin_seq <= json_extract(:claimed, '$."' || c.origin || '"'), 0) AND NOT {{mayBePruned}})
