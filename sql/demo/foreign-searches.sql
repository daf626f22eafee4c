-- Searches that were made on another machine than this one.
SELECT count(*) AS total FROM searches WHERE machine <> :machine
