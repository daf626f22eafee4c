-- Not what came from the puller itself.
(NOT ({{cameFromPuller}}) OR {{mayBePruned}})
