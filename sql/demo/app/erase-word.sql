-- The hard delete: the row is gone.
DELETE FROM words WHERE id = :id
