import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { newKeys } from '#src/convert/uuid.js';
import { runMain } from '../cli/captured.js';
import { countOf, execute, queryRow, withDatabase } from '../replication/content.js';
import { SqliteShell, withPrograms } from '../replication/foreign-programs.js';
import { scratchFolder } from '../scratch.js';
import { createShop, everythingIn, SHOP_TABLES } from './shop.js';

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

  it('leaves a search whose trigger looks for other rows by the key', async () => {
    const file = createShop(`
      CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT);
      CREATE TABLE tags (t INTEGER REFERENCES t, tag TEXT, PRIMARY KEY (t, tag));
      CREATE VIRTUAL TABLE f USING fts5(body, tags);
      CREATE TRIGGER r AFTER UPDATE ON t BEGIN
        DELETE FROM f WHERE rowid = old.id;
        INSERT INTO f (rowid, body, tags) VALUES (new.id, new.body, (SELECT group_concat(tag, ' ') FROM tags WHERE tags.t = new.id AND new.id == t));
      END;
      CREATE VIRTUAL TABLE found USING fts5(body);
      CREATE TRIGGER s AFTER INSERT ON tags WHEN new.tag = 'late' BEGIN INSERT INTO found (rowid, body) SELECT rowid, body FROM t WHERE t.id = new.t; END;
      INSERT INTO t VALUES (1, 'hello'), (5, 'world'); INSERT INTO tags VALUES (1, 'red'), (5, 'blue'), (5, 'green');
      UPDATE t SET body = body || '!'`);
    await convert(file, '--table', 't');
    execute(file, "UPDATE t SET body = body || '?'");
    expect(queryRow(file, "SELECT body, tags FROM f WHERE f MATCH 'green'")).to.deep.equal([
      'world!?',
      'blue green',
    ]);
    execute(file, "INSERT INTO tags SELECT id, 'late' FROM t WHERE body LIKE 'hello%'");
    expect(queryRow(file, 'SELECT t.body FROM found JOIN t ON t.rowid = found.rowid')).to.deep.equal([
      'hello!?',
    ]);
  });

  it('makes keys that are never NULL, and defaults that refer to the same row', async () => {
    const file = createShop(`
      CREATE TABLE t (id INTEGER PRIMARY KEY CHECK (id NOT IN (0)), x);
      CREATE TABLE u (x, t INTEGER REFERENCES t ON DELETE SET DEFAULT DEFAULT 1, v TEXT DEFAULT '1' REFERENCES t);
      INSERT INTO t VALUES (1, 'first'), (2, 'second'); INSERT INTO u (x, t) VALUES ('a', 2)`);
    await convert(file, '--table', 't');
    expect(() => {
      execute(file, "INSERT INTO t VALUES (NULL, 'none')");
    }).to.throw('NOT NULL');
    execute(
      file,
      "PRAGMA foreign_keys = ON; DELETE FROM t WHERE x = 'second'; INSERT INTO u (x) VALUES ('b')",
    );
    expect(
      queryRow(file, 'SELECT count(*) FROM u JOIN t ON t.id = u.t JOIN t AS v ON v.id = u.v'),
    ).to.deep.equal([2]);
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
});
