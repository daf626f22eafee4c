-- The vocabulary database that this product was first made for.
CREATE TABLE words (
  id TEXT PRIMARY KEY,
  english TEXT NOT NULL,
  chinese TEXT,
  pronunciation TEXT,
  load_count INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER
);
CREATE INDEX words_english ON words (english);
CREATE TABLE users (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  email TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE TABLE user_dicts (
  user_id TEXT NOT NULL,
  word_id TEXT NOT NULL REFERENCES words (id),
  query_count INTEGER NOT NULL DEFAULT 0,
  already_acquainted INTEGER NOT NULL DEFAULT 0,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, word_id)
);
CREATE TABLE sessions (
  token TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id),
  expires_at INTEGER NOT NULL
);
