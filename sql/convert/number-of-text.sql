CASE WHEN typeof({{column}}) = 'text' AND CAST(CAST({{column}} AS INTEGER) AS TEXT) = {{column}} THEN CAST({{column}} AS INTEGER) END
