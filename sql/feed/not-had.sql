-- What its author's log had where the puller claims that log.
AND coalesce(c.origin_seq <= json_extract(:had, '$."' || c.origin || '"'), 0) = 0
