-- A run of entries of one table, each with the row as it is now.
-- Numbers that are none of the user's come as REAL: integers would come as BigInt.
SELECT
  CAST(c.id AS REAL), CAST(c.rank AS REAL), CAST(c.timestamp AS REAL), CAST(c.origin AS REAL),
  lower(hex(c.fingerprint)), c.seen, CAST({{present}} AS REAL), CAST({{unfolded}} AS REAL),
  CAST({{isClaimed}} AS REAL),
  CAST(c.origin_seq AS REAL),
  {{recordColumns}}, {{rowColumns}}
FROM _sync_changes AS c
LEFT JOIN {{table}} AS w ON {{rowMatches}}
WHERE c.id BETWEEN :first AND :last
  AND c.table_name = {{tableName}} AND c.origin IS NOT NULL AND {{forPuller}}
ORDER BY c.id
