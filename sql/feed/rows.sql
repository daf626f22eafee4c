-- A run of entries of one table, each with the row as it is now.
SELECT
  c.id, c.rank, c.timestamp, c.origin, lower(hex(c.fingerprint)), c.seen, {{present}},
  {{unfolded}}, {{recordColumns}}, {{rowColumns}}
FROM _sync_changes AS c
LEFT JOIN {{table}} AS w ON {{rowMatches}}
WHERE c.id BETWEEN :first AND :last
  AND c.table_name = {{tableName}} AND c.origin IS NOT NULL AND {{forPuller}}
ORDER BY c.id
