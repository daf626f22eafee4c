-- The soft delete: the row stays, and says when it was deleted.
UPDATE words SET deleted_at = :now, updated_at = :now WHERE id = :id
