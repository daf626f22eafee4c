INSERT INTO reviews (user_id, word_id, level, answer, modified_at)
VALUES (:machine, :id, 1, :answer, :now)
ON CONFLICT (user_id, word_id)
DO UPDATE SET level = level + 1, answer = excluded.answer, modified_at = excluded.modified_at
