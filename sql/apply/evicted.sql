-- The keys of rows that were replaced: as they are, and as bytes.
SELECT {{recordColumns}}, {{recordBytes}} FROM temp.evicted
