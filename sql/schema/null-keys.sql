-- Whether some row has a NULL in its key.
SELECT EXISTS (SELECT 1 FROM {{table}} WHERE {{anyKeyColumnIsNull}}) AS found
