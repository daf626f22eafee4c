coalesce((SELECT m.old FROM temp.{{map}} AS m WHERE m.new = {{column}} COLLATE BINARY), {{column}})
