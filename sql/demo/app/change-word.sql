UPDATE words SET german = :german, updated_at = :now WHERE id = :id
