import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { runMain } from '../cli/captured.js';
import { commandLine } from '../replication/command-line.js';
import { execute, queryRow } from '../replication/content.js';
import { startPython, withPrograms } from '../replication/foreign-programs.js';
import { Program } from '../replication/program.js';
import { addWords, createDatabaseFile, type DatabaseFile } from '../stand-ins/database-file.js';
import { scratchFolder } from '../scratch.js';

describe('backup', () => {
  let source: DatabaseFile;
  let target: string;
  let writer: Program | null = null;

  beforeEach(async () => {
    source = await createDatabaseFile('desktop', { database: { low_disk: '1MB' } });
    addWords(source.app, 'a', 'b', 'c');
    target = join(scratchFolder(), 'backup.db');
  });
  afterEach(async () => {
    await writer?.end('SIGKILL');
    writer = null;
    source.app.close();
  });

  async function backup(...args: string[]) {
    return runMain(['backup', target, '--config', source.file, ...args]);
  }

  it('writes a copy with what is in the write-ahead log, and nothing beside it', async () => {
    const { status, stdout } = await backup('--json');
    expect(status).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.include({
      file: target,
      bytes: statSync(target).size,
      tables: { words: 3 },
      dangling_references: 0,
      unchecked: [],
    });
    expect(readdirSync(dirname(target))).to.deep.equal(['backup.db']);
    expect(queryRow(target, 'SELECT group_concat(id) FROM (SELECT id FROM words ORDER BY id)')).to.deep.equal(
      ['a,b,c'],
    );
  });

  it('lets nobody read the copy who may not read the database', async () => {
    chmodSync(source.config.database.path, 0o600);
    expect((await backup()).status).to.equal(0);
    expect(statSync(target).mode & 0o777).to.equal(0o600);
  });

  it('replaces a file only with --force', async () => {
    writeFileSync(target, 'what was there');
    const { status, stderr } = await backup();
    expect(status).to.equal(1);
    expect(stderr).to.include(`${target} exists already`).and.to.include('--force');
    expect(readFileSync(target, 'utf8')).to.equal('what was there');
    expect((await backup('--force')).status).to.equal(0);
    expect(queryRow(target, 'SELECT count(*) FROM words')).to.deep.equal([3]);
  });

  it('refuses to write onto the database, under whatever name, and its own files', async () => {
    const { path } = source.config.database;
    const link = join(scratchFolder(), 'link.db');
    symlinkSync(path, link);
    for (const file of [path, link, `${path}-wal`, `${path}-sync-mark`]) {
      const { status, stderr } = await runMain(['backup', file, '--force', '--config', source.file]);
      expect(status, file).to.equal(2);
      expect(stderr, file).to.include('belongs to the database itself');
    }
    expect(queryRow(path, 'SELECT count(*) FROM words')).to.deep.equal([3]);
  });

  it('refuses a file that a program has open', async () => {
    writeFileSync(`${target}-wal`, '');
    const { status, stderr } = await backup('--force');
    expect(status).to.equal(1);
    expect(stderr).to.include(`${target}-wal exists`);
  });

  it('refuses where the folder is missing, with nothing left behind', async () => {
    target = join(dirname(target), 'missing', 'backup.db');
    const { status, stderr } = await backup();
    expect(status).to.equal(1);
    expect(stderr).to.include(dirname(target));
  });

  it('says how much room is missing, before it writes anything', async () => {
    const tight = await createDatabaseFile('tight', { database: { low_disk: '8000TB' } });
    try {
      const file = join(dirname(tight.file), 'backup.db');
      const { status, stderr } = await runMain(['backup', file, '--config', tight.file]);
      expect(status).to.equal(1);
      expect(stderr).to.match(/the backup needs .+KB, the disk of .+ has .+ left, and .+ have to stay free/);
      expect(existsSync(file)).to.equal(false);
    } finally {
      tight.app.close();
    }
  });

  it('leaves nothing where the disk is full in the middle', async () => {
    addWords(source.app, 'x'.repeat(2_000_000));
    const command = commandLine(['backup', target, '--config', source.file]);
    const limited = new Program(['bash', '-c', 'ulimit -f 500; exec "$@"', 'bash', ...command]);
    expect((await limited.ended).code, limited.transcript).to.equal(1);
    expect(limited.errors).to.include(`The backup to ${target} failed`);
    expect(readdirSync(dirname(target))).to.deep.equal([]);
  });

  it('keeps no copy of a damaged database', async () => {
    const { path } = source.config.database;
    source.app.exec("INSERT INTO words VALUES ('null', NULL, 1)");
    source.app.unsafeMode();
    source.app.pragma('writable_schema = ON');
    source.app.exec("UPDATE sqlite_schema SET sql = replace(sql, 'english TEXT', 'english TEXT NOT NULL')");
    source.app.close();
    const { status, stderr } = await backup();
    expect(status).to.equal(1);
    expect(stderr).to.include('The backup is of no use').and.to.include('NULL value in words.english');
    expect(readdirSync(dirname(target))).to.deep.equal([]);
    expect(existsSync(path)).to.equal(true);
  });

  it('tells what it can not check, and what refers to nothing, and keeps the copy', async () => {
    execute(
      source.config.database.path,
      `CREATE TABLE parents (id TEXT PRIMARY KEY); PRAGMA foreign_keys = OFF;
       CREATE TABLE children (id TEXT PRIMARY KEY, parent REFERENCES parents); INSERT INTO children VALUES ('c', 'gone')`,
    );
    const { status, stderr } = await backup();
    expect(status, stderr).to.equal(0);
    expect(stderr).to.include('1 rows refer to rows that are not there');
  });

  withPrograms(['python3'], () => {
    for (const mode of ['wal', 'delete']) {
      it(`holds no half of a transaction beside a program that writes, with journal mode ${mode}`, async () => {
        const { path } = source.config.database;
        source.app.exec(`
          CREATE TABLE accounts (id TEXT PRIMARY KEY, balance INTEGER NOT NULL);
          CREATE TABLE notes (id TEXT PRIMARY KEY, transfer INTEGER, text TEXT);
          WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49)
          INSERT INTO accounts SELECT 'a' || i, 0 FROM n UNION ALL SELECT 'b' || i, 0 FROM n;
          WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000)
          INSERT INTO notes SELECT 'old' || i, -i, hex(randomblob(500)) FROM n;
        `);
        source.app.pragma(`journal_mode = ${mode}`);
        source.app.close();
        writer = startPython('transfer_writer.py', path);
        await writer.line((line) => line === 'committed 20', 'transactions');
        const moments = new Set<unknown>();
        for (let round = 0; round < 3; round += 1) {
          const { status, stderr } = await backup('--force');
          expect(status, stderr).to.equal(0);
          const [balance, transfers, notes] = queryRow(
            target,
            'SELECT (SELECT sum(balance) FROM accounts), count(DISTINCT transfer), count(*) FROM notes WHERE transfer >= 0',
          ) as [number, number, number];
          expect(balance).to.equal(0);
          expect(notes).to.equal(2 * transfers);
          expect(transfers).to.be.at.least(20);
          moments.add(transfers);
          const from = writer.lines.length;
          await writer.line((line) => line.startsWith('committed'), 'further transaction', 20_000, from);
        }
        expect(moments.size).to.equal(3);
        writer.closeInput();
        expect(await writer.ended).to.deep.equal({ code: 0, signal: null });
      });
    }
  });
});
