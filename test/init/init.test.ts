import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { loadConfig } from '#src/config/load.js';
import { configSchema } from '#src/config/schema.js';
import { keysAt } from '#src/config/schema-keys.js';
import { checkTables } from '#src/database/check-tables.js';
import { runMain } from '../cli/captured.js';
import { scratchFile, scratchFolder } from '../scratch.js';

const ODD_NAME = `quo"te 'n' sp \${HOME} \u2615 : #x - [y]\ttab`;

const SCHEMA = `
  CREATE TABLE words(id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER, deleted_at INTEGER);
  INSERT INTO words VALUES ('a', 'b', 1704326400000, NULL), ('c', 'd', NULL, NULL);
  CREATE TABLE progress(user_id TEXT, word_id TEXT, updatedAt TEXT, is_deleted INT, PRIMARY KEY(user_id, word_id))
    WITHOUT ROWID;
  INSERT INTO progress VALUES ('a', 'b', '2025-11-12T10:00:00Z', 0);
  CREATE TABLE blobs(id BLOB PRIMARY KEY NOT NULL, payload BLOB);
  CREATE TABLE posts(id INTEGER PRIMARY KEY, modified_at REAL);
  CREATE TABLE loose(a, b);
  CREATE TABLE uniq(a TEXT NOT NULL UNIQUE, b);
  CREATE TABLE empty_keys(id TEXT PRIMARY KEY);
  INSERT INTO empty_keys VALUES (NULL);
  CREATE VIEW seen AS SELECT * FROM words;
  CREATE VIRTUAL TABLE found USING fts5(english);
  CREATE TABLE "null"(id TEXT PRIMARY KEY);
  CREATE TABLE "${ODD_NAME.replaceAll('"', '""')}"("k y" TEXT PRIMARY KEY, "new
line" TEXT);
`;

/** A database in a new folder, whose name needs quoting too. */
function database(schema: string): string {
  const file = join(scratchFolder(), 'my "app" ${X}.db');
  const connection = new BetterSqlite3(file);
  connection.exec(schema);
  connection.close();
  return file;
}

interface Findings {
  written: boolean;
  config: string;
  node: { id: string };
  tables: { name: string; replicable: boolean; reason: string | null; [field: string]: unknown }[];
}

async function init(file: string, ...argv: string[]) {
  const config = join(dirname(file), 'sync-config.yaml');
  const outcome = await runMain(['init', '--db', file, '--config', config, ...argv]);
  return { ...outcome, config };
}

async function findings(file: string, ...argv: string[]): Promise<Findings> {
  const { stdout } = await init(file, '--print', '--json', ...argv);
  return JSON.parse(stdout) as Findings;
}

describe('init', () => {
  it('writes a configuration that loads and fits the database, whatever the names', async () => {
    const file = database(SCHEMA);
    const { status, stdout, config } = await init(
      file,
      '--node',
      'desktop',
      '--peer',
      'macbook=10.0.0.2:8091',
    );
    expect(status).to.equal(0);
    expect(stdout).to.contain('Wrote').and.to.contain('migrate');
    const loaded = loadConfig(config, { HOME: '/home/x', X: 'y' });
    expect(loaded.node).to.include({ id: 'desktop' });
    expect(loaded.database.path).to.equal(file);
    expect(loaded.peers).to.deep.equal([
      { name: 'macbook', address: 'http://10.0.0.2:8091', direction: 'pull' },
    ]);
    const connection = new BetterSqlite3(file, { readonly: true });
    const replicated = checkTables(loaded, connection).map((table) => table.name);
    connection.close();
    expect(replicated).to.have.members(['words', 'progress', 'blobs', 'uniq', 'null', ODD_NAME]);
  });

  it('finds keys, timestamps with their format, and soft deletes', async () => {
    const { tables } = await findings(database(SCHEMA));
    const found = new Map(tables.map((table) => [table.name, table]));
    expect(found.get('words')).to.include({
      replicable: true,
      timestamp_column: 'updated_at',
      timestamp_format: 'unix_ms',
      soft_delete_column: 'deleted_at',
    });
    expect(found.get('progress')).to.deep.include({
      primary_key: ['user_id', 'word_id'],
      timestamp_column: 'updatedAt',
      timestamp_format: 'iso8601',
      soft_delete_column: 'is_deleted',
    });
    expect(found.get('uniq')).to.deep.include({ replicable: true, primary_key: ['a'] });
    expect(found.get('blobs')).to.include({ replicable: true, timestamp_column: null });
  });

  it('says of each table that cannot be replicated why, and what to do', async () => {
    const file = database(SCHEMA);
    const { tables } = await findings(file);
    const reasons = Object.fromEntries(
      tables.filter((table) => !table.replicable).map((t) => [t.name, t.reason]),
    );
    expect(reasons.posts).to.contain('INTEGER PRIMARY KEY');
    expect(reasons.loose).to.contain('no primary key');
    expect(reasons.empty_keys).to.contain('NULL in its key');
    expect(reasons.seen).to.contain('view');
    expect(reasons.found).to.contain('virtual');
    expect(reasons.found_data).to.contain('shadow');
    const { stdout, config } = await init(file);
    expect(stdout).to.contain('loose has no primary key. Add one');
    const text = readFileSync(config, 'utf8');
    expect(text).to.contain('  # - name: posts').and.to.contain('  #   allow_integer_key: true');
  });

  it('explains every key in the file, and sets only those that matter', async () => {
    const { config } = await findings(database(SCHEMA));
    for (const section of keysAt(configSchema, [])) {
      expect(config, section).to.match(new RegExp(`^(# )?${section}:`, 'm'));
      if (section === 'tables' || section === 'peers') continue;
      for (const key of keysAt(configSchema, [section])) {
        expect(config, key).to.match(new RegExp(`^ {2}(# )?${key}: `, 'm'));
      }
    }
    const active = config.split('\n').filter((line) => /^ {2}\w+: /.test(line));
    expect(active.map((line) => line.trim().split(':')[0])).to.deep.equal(['id', 'name', 'listen', 'path']);
  });

  it('prints instead of writing with --print', async () => {
    const { status, stdout, config } = await init(database(SCHEMA), '--print');
    expect(status).to.equal(0);
    expect(existsSync(config)).to.equal(false);
    const copy = scratchFile(stdout);
    expect(loadConfig(copy, {}).tables).to.have.length(6);
  });

  it('overwrites a configuration only with --force', async () => {
    const file = database(SCHEMA);
    const { config } = await init(file, '--node', 'first');
    const second = await init(file, '--node', 'second');
    expect(second.status).to.equal(1);
    expect(second.stderr).to.contain('exists already').and.to.contain('--force');
    expect(loadConfig(config, {}).node.id).to.equal('first');
    expect((await init(file, '--node', 'third', '--force', '--auto-detect')).status).to.equal(0);
    expect(loadConfig(config, {}).node.id).to.equal('third');
  });

  it('takes the column patterns of a configuration that is there', async () => {
    const file = database('CREATE TABLE t(id TEXT PRIMARY KEY, updated_at, Changed_On_Server);');
    writeFileSync(
      join(dirname(file), 'sync-config.yaml'),
      'timestamp_column_patterns: [changed*]\nbroken: 1\n',
    );
    const { tables, config } = await findings(file);
    expect(tables[0]).to.include({ timestamp_column: 'Changed_On_Server' });
    expect(config).to.contain('\ntimestamp_column_patterns: ["changed*"]\n');
  });

  it('leaves the database byte for byte', async () => {
    const file = database(SCHEMA);
    const before = readFileSync(file);
    await init(file);
    expect(readFileSync(file).equals(before)).to.equal(true);
  });

  it('has a node id of its own making, from the name of this machine', async () => {
    const { node } = await findings(database(SCHEMA));
    expect(node.id).to.match(/^[A-Za-z0-9._-]{1,64}$/);
  });

  it('looks around in the local network only when it is told to, and not for long', async () => {
    const file = database(SCHEMA);
    const look = async (...argv: string[]) =>
      JSON.parse((await runMain(['init', '--db', file, '--print', '--json', ...argv])).stdout) as object;
    expect(await look()).to.not.have.property('found');
    const startedMs = performance.now();
    expect(await look('--discover'))
      .to.have.property('found')
      .that.is.an('array');
    expect(performance.now() - startedMs).to.be.lessThan(4000);
  });

  it('works on a database without tables', async () => {
    const { status, stdout, config } = await init(database(''));
    expect(status).to.equal(0);
    expect(stdout).to.contain('no tables');
    expect(loadConfig(config, {}).tables).to.deep.equal([]);
  });

  it('says that other machines need the key when it will listen for them', async () => {
    const { stdout } = await init(database(SCHEMA), '--listen', '0.0.0.0:8091');
    expect(stdout).to.contain('SYNC_API_KEY');
  });

  describe('refuses', () => {
    it('what is no database with exit code 1', async () => {
      const text = await init(scratchFile('this is some text, and no database at all '.repeat(9), 'x.db'));
      expect(text.status).to.equal(1);
      expect(text.stderr).to.contain('is not a SQLite database').and.to.contain('--db');
      const none = await init(join(scratchFolder(), 'none.db'));
      expect(none.status).to.equal(1);
      expect(none.stderr).to.contain('no database file').and.to.contain('--db');
    });

    it('wrong answers with exit code 2', async () => {
      const file = database(SCHEMA);
      const wrong = [
        ['--node', 'my node'],
        ['--listen', '8091'],
        ['--peer', 'macbook'],
        ['--peer', 'macbook=nowhere'],
        ['--peer', 'a b=10.0.0.2:8091'],
        ['--node', 'a', '--peer', 'a=10.0.0.2:8091'],
        ['--peer', 'a=10.0.0.2:8091', '--peer', 'a=10.0.0.3:8091'],
      ];
      for (const argv of wrong) {
        const { status, stderr, config } = await init(file, ...argv);
        expect(status, argv.join(' ')).to.equal(2);
        expect(stderr).to.contain(argv.at(-2) ?? '');
        expect(existsSync(config)).to.equal(false);
      }
    });

    it('a folder that does not exist for its file', async () => {
      const { status, stderr } = await init(database(SCHEMA), '--config', '/nonexistent/sync-config.yaml');
      expect(status).to.equal(1);
      expect(stderr).to.contain("can't be written");
    });
  });
});
