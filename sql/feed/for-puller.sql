-- Not what the puller authored itself.
(c.origin IS NOT :pullerOrigin OR {{mayBePruned}})
