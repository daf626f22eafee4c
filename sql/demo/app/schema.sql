-- A vocabulary trainer: words with UUID keys, reviews with a key of two columns, searches that concern one machine only.
CREATE TABLE words (
  id TEXT PRIMARY KEY,
  english TEXT NOT NULL,
  german TEXT NOT NULL,
  added_on TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER
);
CREATE TABLE reviews (
  user_id TEXT NOT NULL,
  word_id TEXT NOT NULL,
  level INTEGER NOT NULL,
  answer,
  modified_at TEXT NOT NULL,
  PRIMARY KEY (user_id, word_id)
);
CREATE TABLE searches (
  id INTEGER PRIMARY KEY,
  machine TEXT NOT NULL,
  query TEXT NOT NULL
);
