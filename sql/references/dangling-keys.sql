-- The keys of some rows whose reference leads nowhere, twice: as they are, and as bytes.
SELECT {{key}}, {{keyBytes}} FROM {{child}} AS w
WHERE {{refers}} AND NOT EXISTS (SELECT 1 FROM {{parent}} AS p WHERE {{meets}})
LIMIT CAST(:limit AS INTEGER)
