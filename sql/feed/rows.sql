-- A run of entries of one table, each with the row as it is now.
-- By log id, not by the index of rows: that one has every entry of a table (a plus keeps SQLite from it).
SELECT
  c.id, c.rank, c.timestamp, c.origin, lower(hex(c.fingerprint)), c.seen, {{present}},
  {{unfolded}}, coalesce(c.origin_seq, CASE WHEN c.origin = :ourOrigin THEN c.id END), {{recordColumns}}, {{rowColumns}}
FROM _sync_changes AS c
LEFT JOIN {{table}} AS w ON {{rowMatches}}
WHERE c.id BETWEEN :first AND :last
  AND +c.table_name = {{tableName}} AND c.origin IS NOT NULL AND {{forPuller}}
ORDER BY c.id
