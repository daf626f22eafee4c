CREATE TEMP TABLE evicted ({{recordColumns}})
