-- A user's row by its key: its values, and the same as bytes.
SELECT {{values}}, {{bytes}} FROM {{table}} AS w WHERE {{rowIs}}
