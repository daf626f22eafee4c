import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { loadConfig } from '#src/config/load.js';
import { buildSnapshot } from '#src/snapshot/build.js';
import { readDescription } from '#src/snapshot/adopt.js';
import { runMain } from '../cli/captured.js';
import { contentOf } from '../replication/content.js';
import { startPython, withPrograms } from '../replication/foreign-programs.js';
import { scratchFolder } from '../scratch.js';

describe('A snapshot', () => {
  const open: Database[] = [];
  afterEach(() => {
    for (const database of open.splice(0)) database.close();
  });

  /** A migrated database, with the application's own connection to it. */
  async function source(sql: string, tables: readonly object[]) {
    const folder = scratchFolder();
    const app = new BetterSqlite3(join(folder, 'app.db'));
    open.push(app);
    app.exec(sql);
    const file = join(folder, 'sync-config.yaml');
    writeFileSync(file, stringify({ node: { id: 'source' }, database: { path: './app.db' }, tables }));
    const { status, stderr } = await runMain(['migrate', '--no-backup', '--config', file]);
    if (status !== 0) throw new Error(stderr);
    return { app, config: loadConfig(file, {}), file, target: join(folder, 'snapshot') };
  }

  function openTarget(file: string): Database {
    const database = new BetterSqlite3(file);
    open.push(database);
    return database;
  }

  function count(database: Database, sql: string): unknown {
    return database.prepare(`SELECT count(*) FROM ${sql}`).pluck().get();
  }

  const KINDS = [
    [
      'a composite key without a rowid',
      'CREATE TABLE t (user TEXT, word BLOB, score, PRIMARY KEY (user, word)) WITHOUT ROWID',
      {},
      ['user', 'word'],
      "INSERT INTO t VALUES ('u', x'00ff', 1.0), ('u', 'word', 9007199254740993), ('v', x'', NULL)",
    ],
    [
      'blob keys, and text that is no UTF-8',
      'CREATE TABLE t (id BLOB PRIMARY KEY, body); CREATE UNIQUE INDEX t_body ON t (body)',
      {},
      ['id'],
      "INSERT INTO t VALUES (x'01', CAST(x'ff00fe' AS TEXT)), (x'02', 1e400), (x'03', x'00')",
    ],
    [
      'generated columns',
      'CREATE TABLE t (id TEXT PRIMARY KEY, a, double AS (a * 2), kept AS (a || id) STORED); CREATE INDEX t_double ON t (double)',
      {},
      ['id'],
      "INSERT INTO t (id, a) VALUES ('x', 4), ('y', NULL)",
    ],
    [
      'a key that differs in letter case alone, and a partial index',
      'CREATE TABLE t (id TEXT NOT NULL, n INTEGER); CREATE UNIQUE INDEX t_id ON t (id); CREATE INDEX t_n ON t (n) WHERE n > 1',
      { primary_key: 'id' },
      ['id'],
      "INSERT INTO t VALUES ('abc', 1), ('ABC', 2)",
    ],
    [
      'an allowed integer key in a STRICT table',
      'CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT) STRICT',
      { allow_integer_key: true },
      ['id'],
      "INSERT INTO t (body) VALUES ('a'), ('b')",
    ],
  ] as const;

  for (const [kind, schema, options, key, rows] of KINDS) {
    it(`holds every row and its version with ${kind}`, async () => {
      const { app, config, target } = await source(schema, [{ name: 't', ...options }]);
      app.exec(rows);
      await buildSnapshot(config, target);
      const made = openTarget(target);
      expect(made.pragma('integrity_check', { simple: true })).to.equal('ok');
      expect(contentOf(made, 't', key)).to.deep.equal(contentOf(app, 't', key));
      const entries = '_sync_changes WHERE origin IS NOT NULL AND fingerprint IS NOT NULL';
      expect(count(made, entries)).to.equal(count(app, 't')).and.to.equal(count(app, entries));
      expect(count(made, "sqlite_schema WHERE type = 'index' AND tbl_name = 't'")).to.equal(
        count(app, "sqlite_schema WHERE type = 'index' AND tbl_name = 't'"),
      );
      const triggers = "sqlite_schema WHERE type = 'trigger'";
      expect(count(made, triggers)).to.equal(count(app, triggers));
    });
  }

  it('holds no byte of other tables, of excluded columns, and of what was deleted', async () => {
    const { app, config, target } = await source(
      `CREATE TABLE words (id TEXT PRIMARY KEY, body, note DEFAULT 'none');
       CREATE TABLE secrets (id TEXT PRIMARY KEY, body)`,
      [{ name: 'words', exclude_columns: ['note'] }],
    );
    const insert = app.prepare('INSERT INTO words VALUES (?, ?, ?)');
    const hide = app.prepare('INSERT INTO secrets VALUES (?, ?)');
    for (let row = 0; row < 2000; row += 1) {
      insert.run(`w${row}`, `body ${row}`, `PRIVATE ${row}`);
      hide.run(`s${row}`, `HIDDEN ${row}`);
    }
    app.exec("INSERT INTO words VALUES ('gone', 'ERASED', ''); DELETE FROM words WHERE id = 'gone'");
    await buildSnapshot(config, target);
    const bytes = readFileSync(target);
    for (const word of ['PRIVATE', 'HIDDEN', 'secrets', 'ERASED']) {
      expect(bytes.includes(word), word).to.equal(false);
    }
    const made = openTarget(target);
    expect(count(made, "words WHERE note = 'none'")).to.equal(2000);
    expect(made.pragma('freelist_count', { simple: true })).to.equal(0);
    // The deletion itself is known.
    expect(count(made, "_sync_changes WHERE record_id = 'gone' AND fingerprint IS NULL")).to.equal(1);
  });

  for (const more of [0, 7]) {
    it(`leaves out rows that are not reconciled with their versions yet, beside ${more} tables`, async () => {
      const others = Array.from({ length: more }, (_, number) => `other${number}`);
      const { app, config, file, target } = await source(
        `CREATE TABLE words (id TEXT PRIMARY KEY, body); INSERT INTO words VALUES ('legacy', '');
         ${others.map((name) => `CREATE TABLE ${name} (id TEXT PRIMARY KEY, body);`).join('\n')}`,
        ['words', ...others].map((name) => ({ name })),
      );
      for (const name of ['words', ...others]) app.exec(`INSERT INTO ${name} VALUES ('new', '')`);
      await buildSnapshot(config, target);
      const made = openTarget(target);
      for (const name of ['words', ...others])
        expect(made.prepare(`SELECT id FROM ${name}`).pluck().all()).to.deep.equal(['new']);
      await runMain(['backfill', '--config', file]);
      await buildSnapshot(config, `${target}-2`);
      expect(count(openTarget(`${target}-2`), 'words')).to.equal(2);
    });
  }

  it('names the place in the log where it ends, and how each table is replicated', async () => {
    const { app, config, target } = await source('CREATE TABLE words (id TEXT PRIMARY KEY, at, gone)', [
      {
        name: 'words',
        timestamp_column: 'at',
        timestamp_format: 'unix_ms',
        soft_delete_column: 'gone',
        conflict_resolution: 'source_wins',
        preferred_node: 'hub',
      },
    ]);
    app.exec("INSERT INTO words VALUES ('a', 1, NULL), ('b', 2, NULL)");
    await buildSnapshot(config, target);
    const [state] = app.prepare('SELECT node, epoch FROM _sync_replica').all() as [
      { node: string; epoch: string },
    ];
    const mark = app.prepare('SELECT mark FROM _sync_marks ORDER BY log_id DESC').pluck().get() as string;
    const head = app.prepare("SELECT seq FROM sqlite_sequence WHERE name = '_sync_changes'").pluck().get();
    const { cursor, tables, ...identity } = readDescription(target);
    expect(identity).to.deep.equal({ format: 1, renewed: false, ...state });
    expect(cursor).to.equal(`${state.epoch}.${String(head)}.${mark}`);
    expect(tables).to.deep.equal([
      {
        name: 'words',
        primary_key: ['id'],
        timestamp_column: 'at',
        timestamp_format: 'unix_ms',
        soft_delete_column: 'gone',
        conflict_resolution: 'source_wins',
        preferred_node: 'hub',
        resolver: null,
        exclude_columns: [],
        allow_integer_key: false,
      },
    ]);
  });

  withPrograms(['python3'], () => {
    it('holds transactions of a busy program with all of their rows, or with none', async () => {
      const schema = 'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER)';
      const { config, target } = await source(schema, [{ name: 'words', timestamp_column: 'updated_at' }]);
      const writer = startPython('bulk_writer.py', config.database.path, 'bulk');
      try {
        await writer.line((line) => line.startsWith('committed'), 'first transaction');
        for (let round = 0; round < 5; round += 1) {
          await buildSnapshot(config, `${target}-${round}`);
          const made = openTarget(`${target}-${round}`);
          const rows = count(made, 'words') as number;
          // Each adds 300 rows and deletes one.
          expect(rows).to.be.greaterThan(0);
          expect(rows % 299).to.equal(0);
          expect(count(made, '_sync_changes WHERE fingerprint IS NOT NULL')).to.equal(rows);
          expect(count(made, '_sync_changes WHERE origin IS NULL')).to.equal(0);
        }
      } finally {
        writer.closeInput();
        expect(await writer.ended).to.deep.equal({ code: 0, signal: null });
      }
    });
  });

  it('can be read by those only who may read the database', async () => {
    const { config, target } = await source('CREATE TABLE words (id TEXT PRIMARY KEY)', [{ name: 'words' }]);
    chmodSync(config.database.path, 0o600);
    await buildSnapshot(config, target);
    expect(statSync(target).mode & 0o777).to.equal(0o600);
  });
});
