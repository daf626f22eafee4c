-- Tells which rows stand in the way of this one; always taken back.
INSERT OR REPLACE INTO {{table}} ({{columns}}) VALUES ({{values}})
