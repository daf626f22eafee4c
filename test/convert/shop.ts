import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { scratchFolder } from '../scratch.js';
import { contentOf, withDatabase } from '../replication/content.js';

/** A schema with everything that refers to a key, and with names that need quotes. */
export const SHOP = `
  CREATE TABLE "order" (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- numbered, with a comma
    "group" TEXT COLLATE NOCASE DEFAULT 'none',
    "parent id" INTEGER REFERENCES "order" (id) ON DELETE CASCADE,
    total REAL CHECK (total >= 0),
    twice REAL AS (total * 2) STORED,
    label TEXT AS ("group" || ':' || total)
  );
  CREATE TABLE posts (id INTEGER PRIMARY KEY, order_id INT NOT NULL DEFAULT 1 REFERENCES "order" ON DELETE CASCADE, body TEXT /* a, b */);
  CREATE TABLE items (order_id INTEGER REFERENCES "order" ON UPDATE CASCADE, n INTEGER, note, PRIMARY KEY (order_id, n)) WITHOUT ROWID;
  CREATE TABLE item_notes (order_id INTEGER, n INTEGER, text TEXT, FOREIGN KEY (order_id, n) REFERENCES items (order_id, n));
  CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, post_id TEXT, what TEXT);
  CREATE TABLE extras (id INTEGER PRIMARY KEY REFERENCES posts (id), extra BLOB);
  CREATE TABLE strict_ones (id INTEGER PRIMARY KEY, post INTEGER NOT NULL UNIQUE REFERENCES posts, score ANY) STRICT;
  CREATE TABLE settings (name TEXT PRIMARY KEY, value);
  CREATE VIRTUAL TABLE posts_fts USING fts5(body, content='posts', content_rowid='id');
  CREATE VIRTUAL TABLE own_fts USING fts5(body);
  CREATE TRIGGER posts_ai AFTER INSERT ON posts BEGIN
    INSERT INTO posts_fts (rowid, body) VALUES (new.id, new.body);
    INSERT INTO own_fts (rowid, body) VALUES (new.id, CASE WHEN new.id > 0 THEN new.body END);
    INSERT INTO audit (post_id, what) VALUES (new.id, 'insert');
  END;
  CREATE TRIGGER posts_ad AFTER DELETE ON posts BEGIN
    INSERT INTO posts_fts (posts_fts, rowid, body) VALUES ('delete', old.id, old.body);
    DELETE FROM own_fts WHERE rowid = old.id;
    INSERT INTO audit (post_id, what) VALUES (old.id, 'delete');
  END;
  CREATE VIEW found AS SELECT p.id, p.body, bm25(posts_fts) AS rank FROM posts_fts f JOIN posts AS p ON p.id = f.rowid;
  CREATE VIEW found_too AS SELECT id, body FROM posts WHERE id IN (SELECT rowid FROM own_fts);
  CREATE VIEW order_sizes AS SELECT o.id, count(*) AS n FROM "order" o JOIN posts ON posts.order_id = o.id GROUP BY o.id;
  CREATE TRIGGER sizes_ii INSTEAD OF INSERT ON order_sizes BEGIN INSERT INTO posts (order_id, body) VALUES (new.id, 'through a view'); END;
  CREATE INDEX posts_by_order ON posts (order_id, body);
  CREATE UNIQUE INDEX some ON posts (body) WHERE body LIKE 'u%';
  CREATE INDEX lengths ON posts (length(body));
  INSERT INTO "order" (id, "group", "parent id", total) VALUES (1, 'a', NULL, 1.5), (2, 'B', 1, 2), (7, NULL, 2, 0), (-3, 'x', 7, 1), (4611686018427387904, 'far', 1, 3);
  INSERT INTO "order" (id) VALUES (4611686018427387999); DELETE FROM "order" WHERE id = 4611686018427387999;
  INSERT INTO posts (order_id, body) VALUES (1, 'hello world'), (7, 'other words'), (2, 'third'), (-3, 'umlaut ä');
  DELETE FROM posts WHERE id = 3;
  INSERT INTO items VALUES (1, 1, 'x'), (1, 2, NULL), (7, 1, x'00'), (99, 1, 'refers to nothing');
  INSERT INTO item_notes VALUES (1, 2, 'n'), (7, 1, 'm'), (NULL, 1, 'o');
  INSERT INTO extras VALUES (2, x'0102');
  INSERT INTO strict_ones VALUES (10, 1, 1), (11, 2, '1'), (12, 4, 2.0);
  INSERT INTO audit (post_id, what) VALUES ('5', 'refers to nothing'), ('abc', 'no key');
  INSERT INTO settings VALUES ('last', 7);
`;

/** What `convert-ids` is asked for with it. */
export const SHOP_TABLES = ['--table', 'order', 'posts', '--reference', 'audit.post_id=posts'];

/** A database file with this schema; its path. */
export function createShop(schema = SHOP): string {
  const file = join(scratchFolder(), 'shop.db');
  const database = new BetterSqlite3(file);
  database.pragma('foreign_keys = OFF');
  database.exec(schema);
  database.close();
  return file;
}

/** All that a database holds: each table's rows with their types, and the schema, but for quotes around a table's name. */
export function everythingIn(file: string): Record<string, unknown> {
  return withDatabase(file, (database) => {
    const objects = database
      .prepare<[], { type: string; name: string; sql: string | null }>(
        "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE '%\\_fts\\_%' ESCAPE '\\' ORDER BY type, name",
      )
      .all();
    const tables = objects.filter(({ type, name }) => type === 'table' && !name.endsWith('_fts'));
    const rows = tables.map(({ name }) => {
      const columns = database
        .prepare<[string], string>('SELECT name FROM pragma_table_info(?)')
        .pluck()
        .all(name);
      return [name, [...contentOf(database, name, columns)].sort()];
    });
    const schema = objects.map(({ type, name, sql }) => [
      type,
      name,
      sql?.replace(/^(CREATE TABLE )"(\w+)"/, (_, head: string, table: string) =>
        table === 'order' ? `${head}"${table}"` : head + table,
      ) ?? null,
    ]);
    const searches = ['words', 'hello', 'umlaut'].map((word) =>
      ['posts_fts', 'own_fts'].map((index) =>
        database
          .prepare(`SELECT rowid FROM ${index} WHERE ${index} MATCH ? ORDER BY rowid`)
          .pluck()
          .all(word),
      ),
    );
    return { schema, rows: Object.fromEntries(rows) as object, searches };
  });
}
