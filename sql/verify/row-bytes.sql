-- The same rows twice: as they are, and as bytes, for text that JavaScript can't hold.
SELECT {{rowColumns}}, {{rowBytes}}
FROM {{table}} AS w
WHERE {{inRange}}
ORDER BY {{keyOrder}}
LIMIT CAST(:limit AS INTEGER)
