CREATE TABLE IF NOT EXISTS posts (
  slug TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  modified_at TEXT NOT NULL      -- ISO 8601
);
CREATE TABLE IF NOT EXISTS comments (
  post TEXT NOT NULL REFERENCES posts (slug),
  author TEXT NOT NULL,
  number INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (post, author, number)
);
-- Of this machine only.
CREATE TABLE IF NOT EXISTS visits (day TEXT PRIMARY KEY, count INTEGER NOT NULL);
