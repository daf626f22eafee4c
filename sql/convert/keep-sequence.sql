CREATE TEMP TABLE _convert_ids_sequence AS SELECT name, seq FROM main.sqlite_sequence
