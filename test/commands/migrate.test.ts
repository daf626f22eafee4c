import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { runMain } from '../cli/captured.js';
import { contentOf, withDatabase } from '../replication/content.js';
import { scratchFolder } from '../scratch.js';

const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT UNIQUE, updated_at INTEGER);
  CREATE TABLE "user's ""marks""" ("user id" TEXT, [word] TEXT, mark, PRIMARY KEY ("user id", word)) WITHOUT ROWID;
  CREATE TABLE visits (id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT);
  CREATE INDEX words_updated ON words (updated_at);
  CREATE VIEW newest AS SELECT * FROM words ORDER BY updated_at DESC;
  CREATE TRIGGER count_visits AFTER INSERT ON words BEGIN INSERT INTO visits (at) VALUES (NEW.updated_at); END;
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
  INSERT INTO words SELECT 'w' || i, 'word ' || i, i FROM n;
  INSERT INTO "user's ""marks""" VALUES ('u', 'w1', x'00ff'), ('u', 'w2', 0.1), ('u', 'w3', 'a');
`;
const WORDS = { name: 'words', timestamp_column: 'updated_at' };
const MARKS = { name: `user's "marks"` };
const KEYS = { words: ['id'], [MARKS.name]: ['user id', 'word'], visits: ['id'] };

describe('migrate', () => {
  let folder: string;
  let file: string;
  const opened: Database[] = [];

  beforeEach(() => {
    folder = scratchFolder();
    file = join(folder, 'app.db');
    withNew(file, (database) => database.exec(SCHEMA));
    configure([WORDS, MARKS]);
  });

  afterEach(() => {
    for (const database of opened.splice(0)) database.close();
  });

  describe('--dry-run', () => {
    it('changes no byte and leaves no file', async () => {
      const before = { bytes: readFileSync(file), files: readdirSync(folder) };
      const sql = await migrate('--dry-run');
      expect(sql)
        .to.include('CREATE TABLE _sync_changes')
        .and.to.include('CREATE TRIGGER "_sync_words_insert"');
      expect(readFileSync(file).equals(before.bytes)).to.equal(true);
      expect(readdirSync(folder)).to.deep.equal(before.files);
    });

    it('prints the SQL that a migration runs', async () => {
      const copy = join(folder, 'copy.db');
      writeFileSync(copy, readFileSync(file));
      const sql = await migrate('--dry-run');
      withDatabase(copy, (database) => database.exec(sql));
      await migrate();
      expect(withDatabase(copy, schemaOf)).to.deep.equal(withDatabase(file, schemaOf));
      expect(withDatabase(copy, journalMode)).to.equal('wal');
    });

    it('of a removal prints it, and removes nothing', async () => {
      await migrate();
      const before = readFileSync(file);
      expect(await migrate('--down', '--purge', '--dry-run')).to.match(
        /DROP TRIGGER[^]*DROP TABLE[^]*journal_mode/,
      );
      expect(readFileSync(file).equals(before)).to.equal(true);
    });
  });

  it('can be repeated: the second time changes nothing, and makes no backup', async () => {
    await migrate();
    const bytes = readFileSync(file);
    const files = backups();
    expect(await migrate()).to.match(/up to date/);
    expect(readFileSync(file).equals(bytes)).to.equal(true);
    expect(backups()).to.deep.equal(files).and.to.have.length(1);
  });

  it('leaves the rows and the schema of the application as they were', async () => {
    const before = withDatabase(file, (database) => ({ rows: rowsOf(database), schema: schemaOf(database) }));
    await migrate();
    withDatabase(file, (database) => {
      expect(rowsOf(database)).to.deep.equal(before.rows);
      expect(schemaOf(database)).to.include.members(before.schema);
    });
  });

  it('backs up first: a database that opens and is what was there, its write-ahead log included', async () => {
    const app = open(file);
    app.pragma('journal_mode = WAL');
    app.pragma('wal_autocheckpoint = 0');
    app.exec(`INSERT INTO words VALUES ('only in the log', 'new', 1000)`);
    const before = { rows: rowsOf(app), schema: schemaOf(app) };
    const said = await migrate();
    const [backup = ''] = backups();
    expect(said).to.include(backup);
    withDatabase(join(folder, backup), (database) => {
      expect(database.pragma('integrity_check', { simple: true })).to.equal('ok');
      expect(rowsOf(database)).to.deep.equal(before.rows);
      expect(schemaOf(database)).to.deep.equal(before.schema);
    });
  });

  it('makes no backup with --no-backup', async () => {
    await migrate('--no-backup');
    expect(backups()).to.deep.equal([]);
    expect(withDatabase(file, ourTriggers)).not.to.deep.equal([]);
  });

  it('reports itself as JSON', async () => {
    const report = JSON.parse(await migrate('--json')) as Record<string, unknown>;
    expect(report).to.include({ dryRun: false, changed: true });
    expect(report.backup).to.be.a('string');
    expect(report.statements).to.be.an('array').that.is.not.empty;
  });

  it('sets the triggers of tables that are configured, and removes those of tables that no longer are', async () => {
    await migrate();
    expect(capturedTables()).to.deep.equal([MARKS.name, 'words']);
    configure([WORDS]);
    await migrate();
    expect(capturedTables()).to.deep.equal(['words']);
    configure([MARKS]);
    await migrate();
    expect(capturedTables()).to.deep.equal([MARKS.name]);
  });

  it('sets a trigger again that an application has dropped with its table', async () => {
    await migrate();
    const before = withDatabase(file, ourTriggers);
    withDatabase(file, (database) =>
      database.exec(`
        CREATE TABLE rebuilt (id TEXT PRIMARY KEY, english TEXT UNIQUE, updated_at INTEGER, note TEXT);
        INSERT INTO rebuilt SELECT *, NULL FROM words;
        DROP VIEW newest; DROP TABLE words; ALTER TABLE rebuilt RENAME TO words;
      `),
    );
    expect(capturedTables()).to.deep.equal([MARKS.name]);
    await migrate();
    expect(withDatabase(file, ourTriggers)).to.deep.equal(before);
  });

  it('changes nothing while another program holds the write lock, and says so', async () => {
    configure([WORDS], { busy_timeout: '100ms' });
    const app = open(file);
    app.exec('BEGIN IMMEDIATE');
    const { status, stderr } = await runMain(['migrate', '--no-backup', '--config', configFile()]);
    expect(status).to.equal(1);
    expect(stderr)
      .to.match(/write lock/)
      .and.to.match(/nothing was changed/);
    app.exec('ROLLBACK');
    expect(ourTriggers(app)).to.deep.equal([]);
  });

  it('hashes the keys of versions that an older release has entered', async () => {
    await migrate();
    const { status } = await runMain(['backfill', '--config', configFile()]);
    expect(status).to.equal(0);
    const hashes = 'SELECT id, key_hash FROM _sync_changes ORDER BY id';
    const before = withDatabase(file, (database) => database.prepare(hashes).all());
    expect(before).to.have.length(503);
    const schema = withDatabase(file, schemaOf);
    withDatabase(file, (database) =>
      database.exec(`DROP INDEX _sync_changes_row;
        ALTER TABLE _sync_changes DROP COLUMN key_hash;
        DELETE FROM _sync_migrations WHERE number = 9;
        CREATE INDEX _sync_changes_row ON _sync_changes (table_name, record_id, record_id_2) WHERE origin IS NOT NULL;
        UPDATE words SET english = 'captured' WHERE id = 'w7'`),
    );
    await migrate();
    const [last, ...others] = withDatabase(file, (database) => database.prepare(hashes).all()).toReversed();
    expect(last).to.include({ key_hash: null });
    expect(others.toReversed()).to.deep.equal(before);
    expect(withDatabase(file, schemaOf).join('\n')).to.include(
      schema.find((text) => text.includes('_sync_changes_row')),
    );
  });

  it('forgets what an older release has claimed, which is told again', async () => {
    await migrate();
    withDatabase(file, (database) =>
      database.exec(`INSERT INTO _sync_members VALUES ('bob', 'b1', 1, 1, 0, '', NULL, '{"cid@c1":5}');
        INSERT INTO _sync_peers (name, members_hash) VALUES ('bob', '01234567');
        DELETE FROM _sync_migrations WHERE number = 14`),
    );
    await migrate();
    const told = withDatabase(file, (database) => ({
      claims: database.prepare("SELECT claims FROM _sync_members WHERE node = 'bob'").pluck().get(),
      hash: database.prepare("SELECT members_hash FROM _sync_peers WHERE name = 'bob'").pluck().get(),
    }));
    expect(told).to.deep.equal({ claims: '{}', hash: null });
  });

  describe('--down', () => {
    for (const mode of ['delete', 'wal']) {
      it(`removes the triggers and puts the journal mode back: ${mode}`, async () => {
        withDatabase(file, (database) => database.pragma(`journal_mode = ${mode}`));
        const before = withDatabase(file, (database) => ({
          rows: rowsOf(database),
          mode: journalMode(database),
        }));
        await migrate();
        expect(withDatabase(file, journalMode)).to.equal('wal');
        await migrate('--down');
        withDatabase(file, (database) => {
          expect(ourTriggers(database)).to.deep.equal([]);
          expect(journalMode(database)).to.equal(before.mode);
          expect(rowsOf(database)).to.deep.equal(before.rows);
        });
      });
    }

    it('keeps what the replica knows, so that migrate can set the triggers again', async () => {
      await migrate();
      const before = withDatabase(file, schemaOf);
      const epoch = withDatabase(file, epochOf);
      await migrate('--down');
      expect(await migrate('--down')).to.match(/no triggers of ours/);
      await migrate();
      expect(withDatabase(file, schemaOf)).to.deep.equal(before);
      expect(withDatabase(file, epochOf)).to.equal(epoch);
    });

    it('with --purge leaves no trace', async () => {
      const before = withDatabase(file, (database) => ({
        rows: rowsOf(database),
        schema: schemaOf(database),
      }));
      await migrate();
      const { status } = await runMain(['backfill', '--config', configFile()]);
      expect(status).to.equal(0);
      await migrate('--down', '--purge');
      withDatabase(file, (database) => {
        expect(schemaOf(database)).to.deep.equal(before.schema);
        expect(rowsOf(database)).to.deep.equal(before.rows);
        expect(journalMode(database)).to.equal('delete');
        expect(
          database.prepare(`SELECT name FROM sqlite_sequence ORDER BY name`).pluck().all(),
        ).to.deep.equal(['visits']);
        expect(database.pragma('integrity_check', { simple: true })).to.equal('ok');
      });
    });

    it('with --purge on a database that was never migrated does nothing', async () => {
      const bytes = readFileSync(file);
      await migrate('--down', '--purge');
      expect(readFileSync(file).equals(bytes)).to.equal(true);
    });
  });

  async function migrate(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await runMain(['migrate', ...args, '--config', configFile()]);
    expect(status, stderr).to.equal(0);
    return stdout;
  }

  function configure(tables: readonly object[], database: object = {}): void {
    const content = { node: { id: 'desktop' }, database: { path: './app.db', ...database }, tables };
    writeFileSync(configFile(), stringify(content));
  }

  function configFile(): string {
    return join(folder, 'sync-config.yaml');
  }

  function backups(): string[] {
    return readdirSync(folder).filter((name) => name.startsWith('app.db.before-'));
  }

  function capturedTables(): string[] {
    const tables = withDatabase(file, ourTriggers).map(({ table }) => table);
    return [...new Set(tables)].sort();
  }

  function open(path: string): Database {
    const database = new BetterSqlite3(path);
    opened.push(database);
    return database;
  }
});

function withNew(path: string, work: (database: Database) => void): void {
  const database = new BetterSqlite3(path);
  work(database);
  database.close();
}

function rowsOf(database: Database): unknown {
  return Object.entries(KEYS).map(([table, key]) => [...contentOf(database, table, key)]);
}

/** Every object of the schema as it is stored, SQLite's own left out. */
function schemaOf(database: Database): string[] {
  const sql = `SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '')
    FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1`;
  return database.prepare(sql).pluck().all() as string[];
}

function ourTriggers(database: Database): { name: string; table: string }[] {
  const sql = `SELECT name, tbl_name AS "table" FROM sqlite_schema
    WHERE type = 'trigger' AND name LIKE '\\_sync\\_%' ESCAPE '\\' ORDER BY name`;
  return database.prepare(sql).all() as { name: string; table: string }[];
}

function journalMode(database: Database): unknown {
  return database.pragma('journal_mode', { simple: true });
}

function epochOf(database: Database): unknown {
  return database.prepare('SELECT epoch FROM _sync_replica').pluck().get();
}
