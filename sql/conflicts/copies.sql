-- Versions with the content of an entry's loser, for which it stands.
SELECT copy.loser
FROM _sync_conflicts AS copy JOIN _sync_conflicts AS original ON original.id = copy.copy_of
WHERE original.id = :id AND copy.table_name = original.table_name AND copy.record_key = original.record_key
