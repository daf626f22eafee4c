n.{{column}} IS o.{{column}} COLLATE BINARY AND typeof(n.{{column}}) = typeof(o.{{column}})
