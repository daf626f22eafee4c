-- Words that every machine had from the start.
SELECT id, english FROM words WHERE added_on = :machine ORDER BY id LIMIT :limit
