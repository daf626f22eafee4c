-- Words that every machine had from the start, no two of them alike.
SELECT min(id) AS id, english FROM words WHERE added_on = :machine GROUP BY english ORDER BY english LIMIT CAST(:limit AS INTEGER)
