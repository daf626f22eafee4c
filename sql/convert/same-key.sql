(SELECT m.old FROM temp.{{map}} AS m WHERE m.new = n.{{column}} COLLATE BINARY) IS {{number}} AND ({{number}} IS NOT NULL OR n.{{column}} IS o.{{column}})
