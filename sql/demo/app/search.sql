INSERT INTO searches (machine, query) VALUES (:machine, :query)
