-- One of the words that were added on this machine.
SELECT id FROM words WHERE added_on = :machine AND deleted_at IS NULL ORDER BY random() LIMIT 1
