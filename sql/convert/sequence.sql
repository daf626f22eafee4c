SELECT seq FROM main.sqlite_sequence WHERE name = :table
