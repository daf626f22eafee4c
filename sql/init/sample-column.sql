-- The values at one end of the table, in the order of its own B-tree: a bounded read however large it is.
SELECT {{column}} AS value FROM {{table}} ORDER BY {{order}} LIMIT CAST(@rows AS INTEGER)
