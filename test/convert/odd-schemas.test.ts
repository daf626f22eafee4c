import { join } from 'node:path';
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { runMain } from '../cli/captured.js';
import { execute, queryRow, withDatabase } from '../replication/content.js';
import { scratchFolder } from '../scratch.js';
import { createShop } from './shop.js';

/** Schemas with a table whose key is converted, `args`, and a query whose answer must stay the same, there and back. */
const SCHEMAS: Readonly<Record<string, [schema: string, args: string[], query: string]>> = {
  'a table WITHOUT ROWID': [
    `CREATE TABLE t (id INTEGER PRIMARY KEY, x) WITHOUT ROWID; CREATE TABLE u (t REFERENCES t, y); INSERT INTO t VALUES (3, 'a'), (9, 'b'); INSERT INTO u VALUES (9, 1), (3, 2)`,
    ['t'],
    'SELECT x, y FROM t JOIN u ON u.t = t.id',
  ],
  // Found by their index: compared each with each they would take minutes.
  'many rows WITHOUT ROWID': [
    `CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE u (name TEXT COLLATE NOCASE, t INTEGER REFERENCES t, PRIMARY KEY (t, name)) WITHOUT ROWID; CREATE TABLE v (name TEXT COLLATE NOCASE, t INTEGER REFERENCES t, PRIMARY KEY (name, t)) WITHOUT ROWID;
     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO t SELECT i FROM n;
     INSERT INTO u SELECT 'a', id FROM t; INSERT INTO v SELECT 'n' || id, id FROM t`,
    ['t'],
    'SELECT count(*) FROM t JOIN u ON u.t = t.id JOIN v ON v.t = t.id',
  ],
  'a key that is no row number': [
    `CREATE TABLE t (id INT PRIMARY KEY, x); CREATE TABLE u (t BIGINT REFERENCES t); INSERT INTO t VALUES (3, 'a'), (9, 'b'); INSERT INTO u VALUES (9)`,
    ['t'],
    'SELECT x FROM t JOIN u ON u.t = t.id',
  ],
  'a key named in a constraint of the table': [
    `CREATE TABLE t (x, "id" INTEGER CONSTRAINT c NOT NULL, CONSTRAINT pk PRIMARY KEY ("id" AUTOINCREMENT), UNIQUE (x)); INSERT INTO t VALUES ('a', 4)`,
    ['t'],
    'SELECT x FROM t',
  ],
  'names with quotes, brackets, dots and keywords': [
    `CREATE TABLE [select.from] ("primary" INTEGER PRIMARY KEY ON CONFLICT ABORT, \`check\` TEXT);
     CREATE TABLE "it's ""quoted""" ("a.b" INTEGER DEFAULT (-5), FOREIGN KEY ("a.b") REFERENCES "select.from");
     INSERT INTO [select.from] VALUES (-5, 'x'), (6, 'y'); INSERT INTO "it's ""quoted""" VALUES (-5), (6), (NULL)`,
    ['select.from'],
    `SELECT s."check" FROM "it's ""quoted""" q LEFT JOIN "select.from" s ON s."primary" = q."a.b"`,
  ],
  'a chain of tables with one key': [
    `CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER PRIMARY KEY REFERENCES a); CREATE TABLE c (b INTEGER UNIQUE REFERENCES b (id)); CREATE TABLE d (c REFERENCES c (b), x);
     INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (2); INSERT INTO c VALUES (2); INSERT INTO d VALUES (2, 'deep')`,
    ['a'],
    'SELECT d.x FROM a JOIN b ON b.id = a.id JOIN c ON c.b = b.id JOIN d ON d.c = c.b',
  ],
  'a chain whose members are all named': [
    `CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER PRIMARY KEY REFERENCES a, x); INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (2, 'two')`,
    ['b', 'a'],
    'SELECT b.x FROM a JOIN b ON b.id = a.id',
  ],
  'tables that refer to each other': [
    `CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER REFERENCES b); CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a DEFERRABLE INITIALLY DEFERRED);
     INSERT INTO a VALUES (1, 10); INSERT INTO b VALUES (10, 1), (11, NULL)`,
    ['a', 'b'],
    'SELECT count(*) FROM a JOIN b ON a.b = b.id AND b.a = a.id',
  ],
  'a column that is called rowid': [
    `CREATE TABLE t (id INTEGER PRIMARY KEY, rowid TEXT); INSERT INTO t VALUES (4, 'mine')`,
    ['t'],
    'SELECT "rowid" FROM t',
  ],
  'no rows at all': [
    `CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x); CREATE TABLE u (id INTEGER PRIMARY KEY AUTOINCREMENT, t INTEGER REFERENCES t)`,
    ['t'],
    'SELECT count(*) FROM t, u',
  ],
  'columns that are named by strings, and defaults of all kinds': [
    `CREATE TABLE t ('id' INTEGER PRIMARY KEY, x, 'up' INTEGER DEFAULT -0x10 REFERENCES t, a TEXT DEFAULT '7' REFERENCES t, b INT REFERENCES t ON DELETE SET DEFAULT DEFAULT +3);
     INSERT INTO t (id, x) VALUES (-16, 'a'), (7, 'b'), (3, 'c')`,
    ['t'],
    'SELECT count(*) FROM t JOIN t AS up ON up.id = t.up JOIN t AS a ON a.id = t.a JOIN t AS b ON b.id = t.b',
  ],
  'a foreign key elsewhere that SQLite can not look after': [
    `CREATE TABLE t (id INTEGER PRIMARY KEY, x); CREATE VIEW v AS SELECT * FROM t; CREATE TABLE u (t INTEGER REFERENCES t, x REFERENCES t (x), y REFERENCES v (x));
     INSERT INTO t VALUES (1, 'a'); INSERT INTO u VALUES (1, 'a', 'a')`,
    ['t'],
    'SELECT u.x FROM t JOIN u ON u.t = t.id',
  ],
  'a trigger on the key, and a view of a view': [
    `CREATE TABLE t (id INTEGER PRIMARY KEY, x); CREATE TABLE log (line);
     CREATE TRIGGER r AFTER UPDATE OF id ON t WHEN new.id IS NOT old.id BEGIN INSERT INTO log VALUES ('moved'); END;
     CREATE VIEW v AS SELECT id AS key, x FROM t; CREATE VIEW w AS SELECT * FROM v; INSERT INTO t VALUES (1, 'a')`,
    ['t'],
    'SELECT x, (SELECT count(*) FROM log) FROM w',
  ],
};

describe('convert-ids, with', () => {
  for (const [what, [schema, tables, query]] of Object.entries(SCHEMAS)) {
    it(what, async () => {
      const file = createShop(schema);
      const answer = () => withDatabase(file, (database) => database.prepare(query).all());
      const content = () =>
        withDatabase(file, (database) => database.prepare(`SELECT * FROM "${tables[0] ?? ''}"`).all());
      const [before, rows] = [answer(), content()];
      const out = join(scratchFolder(), 'out');
      const args = ['convert-ids', '--db', file, '--out', out, '--json', '--table', ...tables];
      const { status, stdout, stderr } = await runMain(args);
      expect(status, stderr).to.equal(0);
      expect(answer()).to.deep.equal(before);
      if (rows.length > 0) expect(content()).to.not.deep.equal(rows);
      if (!what.startsWith('a foreign key elsewhere'))
        expect(queryRow(file, 'PRAGMA foreign_key_check')).to.deep.equal([]);
      const { backward } = JSON.parse(stdout) as { backward: string };
      execute(file, readFileSync(backward, 'utf8'));
      expect(answer()).to.deep.equal(before);
      expect(content()).to.deep.equal(rows);
    });
  }
});
