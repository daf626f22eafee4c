CASE WHEN typeof({{column}}) = 'integer' THEN {{column}} END
