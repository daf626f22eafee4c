-- An entry's key twice: as it is, and as bytes, for text that JavaScript can't hold.
SELECT {{recordColumns}}, {{recordBytes}} FROM _sync_changes AS c WHERE c.id = :id
