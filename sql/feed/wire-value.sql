-- A value as JSON text, as `toWireJson` writes it: SQLite itself writes what is plain to both.
CASE typeof({{value}})
  WHEN 'text' THEN json_quote({{value}})
  WHEN 'null' THEN 'null'
  WHEN 'integer'
    THEN iif({{value}} BETWEEN -9007199254740991 AND 9007199254740991, {{value}}, sync_wire_value({{value}}))
  ELSE sync_wire_value({{value}})
END
