-- The row is there where its version says so.
(c.table_name = {{tableName}} AND
  (c.fingerprint IS NOT NULL) = EXISTS (SELECT 1 FROM source.{{table}} AS w WHERE {{rowMatches}}))
