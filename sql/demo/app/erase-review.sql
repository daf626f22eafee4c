DELETE FROM reviews WHERE user_id = :machine AND word_id = :id
