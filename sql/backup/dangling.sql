-- Rows that refer to no row, by foreign key.
SELECT count(*) AS rows FROM pragma_foreign_key_check
