-- Which new key an old one gets.
CREATE TEMP TABLE {{map}} (old INTEGER PRIMARY KEY, new TEXT NOT NULL UNIQUE)
