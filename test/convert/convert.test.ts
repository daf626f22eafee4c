import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { newKeys } from '#src/convert/uuid.js';
import { runMain } from '../cli/captured.js';
import { countOf, execute, queryRow, withDatabase } from '../replication/content.js';
import { SqliteShell, withPrograms } from '../replication/foreign-programs.js';
import { scratchFolder } from '../scratch.js';
import { createShop, everythingIn, SHOP, SHOP_TABLES } from './shop.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

interface Report {
  readonly backup: string | null;
  readonly forward: string | null;
  readonly backward: string | null;
  readonly sql: string | null;
}

describe('convert-ids', () => {
  let out: string;
  beforeEach(() => {
    out = join(scratchFolder(), 'migrations-out');
  });

  async function run(file: string, ...args: string[]) {
    return runMain(['convert-ids', '--db', file, '--out', out, '--json', ...args]);
  }

  async function convert(file: string, ...args: string[]): Promise<Report> {
    const { status, stdout, stderr } = await run(file, ...args);
    expect(status, stderr).to.equal(0);
    return JSON.parse(stdout) as Report;
  }

  /** Runs what was written, as its heading says. */
  function runScript(file: string, script: string | null): void {
    execute(file, readFileSync(script ?? '', 'utf8'));
  }

  for (const ids of ['shared', 'own']) {
    it(`goes there and back, and everything is as it was: --ids ${ids}`, async () => {
      const file = createShop();
      const before = everythingIn(file);
      const { backup, backward } = await convert(file, ...SHOP_TABLES, '--ids', ids);
      expect(everythingIn(backup ?? '')).to.deep.equal(before);
      expect(everythingIn(file)).to.not.deep.equal(before);
      expect(queryRow(file, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
      runScript(file, backward);
      expect(everythingIn(file)).to.deep.equal(before);
      expect(queryRow(file, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
      expect(readdirSync(dirname(file))).to.have.members([
        'shop.db',
        (backup ?? '').slice(dirname(file).length + 1),
      ]);
    });
  }

  withPrograms(['sqlite3'], () => {
    it('writes SQL that another SQLite runs, there on a copy and back', async () => {
      const [file, copy] = [createShop(), createShop()];
      const before = everythingIn(copy);
      const { forward, backward } = await convert(file, ...SHOP_TABLES, '--ids', 'shared');
      for (const [script, expected] of [
        [forward, everythingIn(file)],
        [backward, before],
      ] as const) {
        const shell = new SqliteShell(copy);
        await shell.run(`.read ${script ?? ''}`);
        await shell.close();
        expect(everythingIn(copy)).to.deep.equal(expected);
      }
    });
  });

  it('writes SQL that does the very same to a copy with --ids own', async () => {
    const [file, copy] = [createShop(), createShop()];
    const { forward } = await convert(file, ...SHOP_TABLES, '--ids', 'own');
    runScript(copy, forward);
    // What stands in the schema for rows to come is the same too.
    expect(everythingIn(copy)).to.deep.equal(everythingIn(file));
  });

  it('leads every reference to the row that it led to', async () => {
    const file = createShop();
    const pairs = `SELECT o."group", p.body, i.note, t.text, e.extra, s.score, a.what FROM "order" o
      LEFT JOIN posts p ON p.order_id = o.id LEFT JOIN items i ON i.order_id = o.id
      LEFT JOIN item_notes t ON t.order_id = i.order_id AND t.n = i.n LEFT JOIN extras e ON e.id = p.id
      LEFT JOIN strict_ones s ON s.post = p.id LEFT JOIN audit a ON a.post_id = p.id ORDER BY 1, 2, 3, 4, 5, 6, 7`;
    const rows = () => withDatabase(file, (database) => database.prepare(pairs).all());
    const before = rows();
    await convert(file, ...SHOP_TABLES);
    expect(rows()).to.deep.equal(before);
    for (const column of [
      '"order".id',
      '"order"."parent id"',
      'posts.order_id',
      'items.order_id',
      'extras.id',
    ]) {
      const [table = '', name = ''] = column.split('.');
      const values = withDatabase(file, (database) =>
        database.prepare(`SELECT ${name} FROM ${table} WHERE ${name} IS NOT NULL`).pluck().all(),
      ) as string[];
      expect(values, column).to.have.length.above(0);
      for (const value of values) expect(value, column).to.match(UUID);
    }
    expect(queryRow(file, "SELECT count(*) FROM audit WHERE post_id = 'abc'")).to.deep.equal([1]);
    expect(queryRow(file, 'SELECT value FROM settings')).to.deep.equal([7]);
  });

  it('keeps the order of the keys, and the rows in theirs', async () => {
    for (const ids of ['shared', 'own']) {
      const file = createShop();
      await convert(file, ...SHOP_TABLES, '--ids', ids);
      const sorted = 'SELECT group_concat(body) FROM (SELECT body FROM posts ORDER BY id)';
      expect(queryRow(file, sorted)).to.deep.equal(['hello world,other words,umlaut ä']);
    }
  });

  it('leaves a database whose triggers, views and searches work', async () => {
    const file = createShop();
    await convert(file, ...SHOP_TABLES);
    execute(
      file,
      'PRAGMA foreign_keys = ON; INSERT INTO posts (body) VALUES (\'brand new\'); INSERT INTO order_sizes (id) SELECT id FROM "order" WHERE "group" = \'far\'',
    );
    const found = (word: string) =>
      queryRow(
        file,
        `SELECT count(*), max(p.body) FROM posts p JOIN posts_fts f ON f.rowid = p.rowid WHERE posts_fts MATCH '${word}'`,
      );
    expect(found('brand')).to.deep.equal([1, 'brand new']);
    expect(found('view')).to.deep.equal([1, 'through a view']);
    expect(countOf(file, 'found')).to.equal(5);
    expect(countOf(file, 'found_too')).to.equal(5);
    const [id, order] = queryRow(file, "SELECT id, order_id FROM posts WHERE body = 'brand new'");
    expect(id).to.match(UUID);
    expect(order).to.equal(queryRow(file, 'SELECT id FROM "order" WHERE "group" = \'a\'')[0]);
    expect(countOf(file, 'audit', `post_id = '${String(id)}'`)).to.equal(1);
    execute(file, 'PRAGMA foreign_keys = ON; DELETE FROM "order" WHERE "group" = \'far\'');
    expect(found('view')[0]).to.equal(0);
    execute(file, "INSERT INTO posts_fts (posts_fts, rank) VALUES ('integrity-check', 1)");
  });

  it('goes back with what was added since, numbered on', async () => {
    const file = createShop();
    const { backward } = await convert(file, ...SHOP_TABLES);
    execute(
      file,
      'INSERT INTO "order" ("group") VALUES (\'later\'); INSERT INTO posts (order_id, body) SELECT id, \'of later\' FROM "order" WHERE "group" = \'later\'',
    );
    runScript(file, backward);
    const [order, post] = queryRow(
      file,
      "SELECT order_id - 4611686018427387999, id FROM posts WHERE body = 'of later'",
    );
    expect([order, post]).to.deep.equal([1, 6]);
  });

  it('keeps rows whose parents a cascade would take, in whatever order tables go', async () => {
    const file = createShop(`
      CREATE TABLE b (id INTEGER PRIMARY KEY); CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER REFERENCES b ON DELETE CASCADE ON UPDATE SET NULL);
      CREATE TABLE c (a INTEGER REFERENCES a ON DELETE SET NULL); INSERT INTO b VALUES (1), (2); INSERT INTO a VALUES (5, 1), (6, 2); INSERT INTO c VALUES (5), (6), (NULL)`);
    await convert(file, '--table', 'b');
    expect(queryRow(file, 'SELECT count(*) FROM a JOIN b ON a.b = b.id JOIN c ON c.a = a.id')).to.deep.equal([
      2,
    ]);
    await convert(file, '--table', 'a');
    expect(queryRow(file, 'SELECT count(*) FROM a JOIN b ON a.b = b.id JOIN c ON c.a = a.id')).to.deep.equal([
      2,
    ]);
  });

  it('is accepted by init afterwards, by migrate, and by backfill', async () => {
    const file = createShop();
    await convert(file, ...SHOP_TABLES, '--add-columns');
    const config = join(scratchFolder(), 'sync-config.yaml');
    const init = await runMain(['init', '--db', file, '--config', config, '--json']);
    expect(init.status, init.stderr).to.equal(0);
    const { tables } = JSON.parse(init.stdout) as { tables: { name: string; replicable: boolean }[] };
    const accepted = tables.filter(({ replicable }) => replicable).map(({ name }) => name);
    expect(accepted).to.include.members(['order', 'posts', 'items', 'extras']);
    expect(readFileSync(config, 'utf8'))
      .to.include('timestamp_column: updated_at')
      .and.to.include('soft_delete_column: deleted_at');
  });

  it('adds the columns that are missing, empty in old rows and filled in new ones', async () => {
    const file = createShop(
      `CREATE TABLE t (id INTEGER PRIMARY KEY, x, updated_at INTEGER, UNIQUE (x)); INSERT INTO t VALUES (1, 'a', 5)`,
    );
    await convert(file, '--table', 't', '--add-columns');
    execute(file, "INSERT INTO t (x) VALUES ('b')");
    expect(queryRow(file, "SELECT created_at, updated_at, deleted_at FROM t WHERE x = 'a'")).to.deep.equal([
      null,
      5,
      null,
    ]);
    const [created, updated, deleted] = queryRow(
      file,
      "SELECT created_at, updated_at, deleted_at FROM t WHERE x = 'b'",
    );
    expect([updated, deleted]).to.deep.equal([null, null]);
    expect(created).to.be.within(1_700_000_000_000, Date.now() + 1000);
    expect(queryRow(file, "SELECT count(*) FROM sqlite_schema WHERE name = 't_deleted_at'")).to.deep.equal([
      1,
    ]);
  });

  it('computes the same shared key as SQLite does', () => {
    const database = new BetterSqlite3(':memory:');
    for (const old of [0n, 1n, -1n, -(2n ** 63n), 2n ** 63n - 1n, 1n << 48n]) {
      const keys = newKeys('shared', 'Words', 0);
      const sql = `SELECT ${keys.sql} FROM (SELECT CAST(? AS INTEGER) AS old)`;
      const computed = database.prepare<[bigint], string>(sql).pluck().get(old);
      expect(computed).to.equal(keys.of(old)).and.to.match(UUID);
      expect(newKeys('shared', 'words', 1).of(old)).to.equal(computed);
    }
    expect(newKeys('own', 'words', Date.now()).of(1n)).to.match(UUID);
    database.close();
  });

  it('prints the SQL with --dry-run, and leaves no trace', async () => {
    const file = createShop();
    const before = everythingIn(file);
    const { sql, backup, forward } = await convert(file, ...SHOP_TABLES, '--dry-run');
    expect(sql).to.include('CREATE TABLE "_convert_ids_new_posts"');
    expect([backup, forward]).to.deep.equal([null, null]);
    expect(everythingIn(file)).to.deep.equal(before);
    expect(readdirSync(dirname(file))).to.deep.equal(['shop.db']);
  });

  describe('refuses, and changes nothing', () => {
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
});
