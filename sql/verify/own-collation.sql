-- Whether the column's own collation tells a from A, and a from 'a ': a compound takes that of its first part.
SELECT
  (SELECT count(*) FROM (SELECT w.{{column}} FROM {{table}} AS w WHERE 0 UNION SELECT 'a' UNION SELECT 'A')) AS letters,
  (SELECT count(*) FROM (SELECT w.{{column}} FROM {{table}} AS w WHERE 0 UNION SELECT 'a' UNION SELECT 'a ')) AS blanks
