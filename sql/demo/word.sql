SELECT german, deleted_at FROM words WHERE id = :id
