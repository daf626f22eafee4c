INSERT INTO words (id, english, german, added_on, updated_at)
VALUES (:id, :english, :german, :machine, :now)
