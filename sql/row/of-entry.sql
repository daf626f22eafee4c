-- A row's values twice: as they are, and as bytes, for text that JavaScript can't hold.
SELECT {{values}}, {{bytes}} FROM _sync_changes AS c JOIN {{table}} AS w ON {{rowMatches}} WHERE c.id = :id
