coalesce((SELECT m.new FROM temp.{{map}} AS m WHERE m.old = {{number}}), {{column}})
