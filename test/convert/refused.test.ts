import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { runMain } from '../cli/captured.js';
import { queryRow } from '../replication/content.js';
import { scratchFolder } from '../scratch.js';
import { createShop, SHOP, SHOP_TABLES } from './shop.js';

describe('convert-ids refuses, and changes nothing:', () => {
  let out: string;
  beforeEach(() => {
    out = join(scratchFolder(), 'migrations-out');
  });

  async function run(file: string, ...args: string[]) {
    return runMain(['convert-ids', '--db', file, '--out', out, '--json', ...args]);
  }

  const cases: Readonly<Record<string, [schema: string, args: string[], status: number, says: string]>> = {
    'a table that is not there': [SHOP, ['--table', 'nope'], 2, 'no table "nope"'],
    'a view': [SHOP, ['--table', 'found'], 2, 'a view'],
    'a table with a text key': [SHOP, ['--table', 'settings'], 2, 'of type TEXT already'],
    'a key of two columns': [SHOP, ['--table', 'items'], 2, 'a key of 2 columns'],
    'a reference that names no parent among several': [
      SHOP,
      ['--table', 'order', 'posts', '--reference', 'audit.post_id'],
      2,
      'does not say whose keys',
    ],
    'a reference to no column': [
      SHOP,
      ['--table', 'posts', '--reference', 'audit.nope'],
      2,
      'no column "nope"',
    ],
    'no table at all': [SHOP, [], 2, 'no table is named'],
    'a check that no UUID passes': [
      `CREATE TABLE t (id INTEGER PRIMARY KEY CHECK (typeof(id) = 'integer')); INSERT INTO t VALUES (1)`,
      ['--table', 't'],
      1,
      'CHECK constraint failed',
    ],
    'a view that would show other rows': [
      `CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2); CREATE VIEW v AS SELECT * FROM t WHERE id < 2`,
      ['--table', 't'],
      1,
      'view "v" would show',
    ],
    'a column that refers to two': [
      `CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER PRIMARY KEY);
       CREATE TABLE c (x INTEGER REFERENCES a REFERENCES b)`,
      ['--table', 'a', 'b'],
      2,
      'refers by its column "x" to both',
    ],
    'a trigger that tells an index a key in a way of its own': [
      `CREATE TABLE t (id INTEGER PRIMARY KEY, x); CREATE TABLE u (t INTEGER REFERENCES t); CREATE VIRTUAL TABLE f USING fts5(x);
       CREATE TRIGGER r AFTER INSERT ON u BEGIN INSERT INTO f (rowid, x) SELECT id, x FROM t WHERE t.id = new.t; END`,
      ['--table', 't'],
      2,
      'the trigger "r" tells a virtual table',
    ],
    'a trigger that finds a row of its index by what another row refers to': [
      `CREATE TABLE t (id INTEGER PRIMARY KEY, x); CREATE TABLE u (t INTEGER REFERENCES t); CREATE VIRTUAL TABLE f USING fts5(x);
       CREATE TRIGGER r AFTER INSERT ON u BEGIN UPDATE f SET x = 'y' WHERE rowid = new.t; END`,
      ['--table', 't'],
      2,
      'the trigger "r" takes the number of a row',
    ],
    'a trigger that finds a row by its number': [
      `CREATE TABLE t (id INTEGER PRIMARY KEY, n); CREATE TABLE u (t INTEGER REFERENCES t);
       CREATE TRIGGER fine AFTER UPDATE ON t BEGIN UPDATE t SET n = 0 WHERE rowid = new.rowid AND id = new.id; END;
       CREATE TRIGGER r AFTER INSERT ON u BEGIN UPDATE t SET n = n + 1 WHERE new.t IS t._rowid_; END`,
      ['--table', 't'],
      2,
      'the trigger "r" takes the number of a row',
    ],
    'a trigger that writes the number of a row as a reference': [
      `CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE u (t INTEGER REFERENCES t);
       CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO u VALUES (new.rowid); END`,
      ['--table', 't'],
      2,
      'the trigger "r" takes the number of a row',
    ],
    'a trigger that writes the number of the last row as a reference': [
      `CREATE TABLE t (id INTEGER PRIMARY KEY, x); CREATE TABLE u (t INTEGER REFERENCES t); CREATE TABLE v (x);
       CREATE TRIGGER r AFTER INSERT ON v BEGIN INSERT INTO t (x) VALUES (new.x); INSERT INTO u VALUES (last_insert_rowid()); END`,
      ['--table', 't'],
      2,
      'the trigger "r" takes the number of a row',
    ],
    'a view that joins by the number of a row': [
      `CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE u (t INTEGER REFERENCES t, x);
       CREATE VIEW v AS SELECT u.x FROM t AS a LEFT JOIN u ON u.t == a.rowid`,
      ['--table', 't'],
      2,
      'the view "v" takes the number of a row',
    ],
    'an index of a view': [
      `CREATE TABLE t (id INTEGER PRIMARY KEY, x); CREATE VIEW w AS SELECT * FROM t; CREATE VIEW v AS SELECT id, x FROM w;
       CREATE VIRTUAL TABLE f USING fts5(x, content='v', content_rowid='id')`,
      ['--table', 't'],
      2,
      'the index "f" tells a virtual table',
    ],
    'a key that is no integer in some row': [
      `CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), ('one'), (NULL)`,
      ['--table', 't'],
      2,
      '1 rows whose key "id" is no integer',
    ],
    'a reference that is no integer': [
      `CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE u (t REAL); INSERT INTO t VALUES (1); INSERT INTO u VALUES (1)`,
      ['--table', 't', '--reference', 'u.t'],
      1,
      'table "u": 1 of 1 rows would not come out as they were',
    ],
  };
  for (const [what, [schema, args, expected, says]] of Object.entries(cases)) {
    it(what, async () => {
      const file = createShop(schema);
      const before = readFileSync(file);
      const { status, stderr } = await run(file, ...args);
      expect(stderr).to.include(says);
      expect(status).to.equal(expected);
      expect(readFileSync(file).equals(before)).to.equal(true);
      expect(readdirSync(dirname(file)).filter((name) => name !== 'shop.db')).to.deep.equal([]);
    });
  }

  for (const mode of ['wal', 'delete']) {
    it(`a file that a program is writing to, with journal mode ${mode}`, async () => {
      const file = createShop();
      const writer = new BetterSqlite3(file);
      try {
        writer.pragma(`journal_mode = ${mode}`);
        writer.exec('BEGIN IMMEDIATE');
        const { status, stderr } = await run(file, ...SHOP_TABLES);
        expect(status).to.equal(1);
        expect(stderr).to.include(`another program holds ${file}`).and.to.include('Close your application');
        writer.exec('ROLLBACK');
      } finally {
        writer.close();
      }
      expect(queryRow(file, 'SELECT typeof(id) FROM posts')).to.deep.equal(['integer']);
    });
  }

  it('a replica', async () => {
    const file = createShop();
    const config = join(scratchFolder(), 'sync-config.yaml');
    expect((await runMain(['init', '--db', file, '--config', config])).status).to.equal(0);
    const migrate = await runMain(['migrate', '--no-backup', '--config', config]);
    expect(migrate.status, migrate.stderr).to.equal(0);
    const { status, stderr } = await run(file, ...SHOP_TABLES);
    expect(status).to.equal(1);
    expect(stderr).to.include('is a replica already').and.to.include('migrate --down --purge');
  });
});
