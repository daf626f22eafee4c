SELECT id FROM words WHERE deleted_at IS NULL ORDER BY random() LIMIT 1
