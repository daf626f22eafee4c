INSERT OR IGNORE INTO temp.{{map}} (old, new) VALUES ({{old}}, {{new}})
