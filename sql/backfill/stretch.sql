-- Log ids have gaps: a stretch is counted in entries.
SELECT id AS last FROM _sync_changes WHERE id > :after ORDER BY id LIMIT 1 OFFSET :entries
