-- The next entries of a run of one table as changes of a page (JSON, commas between them), as `changeWriter` writes them.
-- What the puller claims travels as its name. `entries` above `written`: some have to be looked at one by one.
-- CAST, here and wherever a LIMIT is bound: SQLite plans for a bare value, and so compiles the statement anew at each run.
SELECT count(*) AS entries, count(change) AS written, max(id) AS last, CAST(group_concat(change, ',') AS BLOB) AS changes
FROM (
  SELECT
    c.id AS id,
    CASE
      WHEN NOT {{isClaimed}} AND {{bytes}} > :mostBytes THEN NULL
      WHEN {{isClaimed}} OR ({{present}} = (c.fingerprint IS NOT NULL) AND NOT ({{unfolded}})) THEN concat(
        '{"seq":', c.id, ',"table":', {{tableJson}},
        ',"operation":"', iif(c.fingerprint IS NULL, 'delete', 'upsert'), '"',
        ',"key":[', {{key}}, ']',
        ',"rank":' || c.rank,
        ',"stamp":', c.timestamp,
        ',"origin":', (SELECT json_quote(o.name) FROM _sync_origins AS o WHERE o.id = c.origin),
        ',"fingerprint":"' || lower(nullif(hex(c.fingerprint), '')) || '"',
        CASE WHEN NOT {{isClaimed}} THEN concat(
          ',"seen":' || c.seen,
          ',"origin_seq":' || c.origin_seq,
          ',"record":', CASE WHEN {{present}} THEN concat({{record}}, '}') ELSE 'null' END
        ) END,
        '}'
      )
    END AS change
  FROM _sync_changes AS c
  LEFT JOIN {{table}} AS w ON {{rowMatches}}
  WHERE c.id > :since AND c.id <= :last
    AND c.table_name = {{tableName}} AND c.origin IS NOT NULL AND {{forPuller}}
  ORDER BY c.id
  LIMIT CAST(:limit AS INTEGER)
)
