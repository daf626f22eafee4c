-- The keys that a batch of raw entries names, sorted: the newest entry of each, and when the row was last written.
SELECT
  max(id) AS id,
  {{recordColumns}},
  {{keyHash}} AS key_hash,
  max(CASE WHEN operation <> 'DELETE' THEN timestamp END) AS written_ms
FROM _sync_changes
WHERE id > :folded AND id <= :last AND origin IS NULL AND table_name = {{tableName}} AND {{recordIsWhole}}
GROUP BY {{recordColumns}}
ORDER BY {{recordColumns}}
