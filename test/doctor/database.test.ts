import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { DoctorReport } from '#src/commands/doctor-text.js';
import { runMain } from '../cli/captured.js';
import { addWords, createDatabaseFile, type DatabaseFile } from '../stand-ins/database-file.js';
import { PROJECT } from '../docs/documents.js';
import { diagnose, expectFinding, reconfigure } from './diagnosis.js';

/** A user without rights, where the tests run as root, to whom no permission is denied. */
const NOBODY = 65_534;

describe('doctor looks at the database file', function () {
  this.timeout(60_000);
  let ann: DatabaseFile;

  beforeEach(async () => {
    ann = await createDatabaseFile('ann');
  });
  afterEach(() => ann.app.close());

  const path = () => ann.config.database.path;

  it('and finds nothing wrong with a sound one', async () => {
    const { findings, left_out: leftOut } = await diagnose(ann.file);
    expect(findings.filter(({ level }) => level !== 'ok')).to.deep.equal([]);
    expect(leftOut).to.deep.equal([]);
    expect(findings.map(({ check }) => check)).to.include.members(['file', 'sqlite', 'integrity', 'disk']);
  });

  it('and names one that is missing, with what could not be looked at', async () => {
    ann.app.close();
    for (const end of ['', '-wal', '-shm']) rmSync(path() + end, { force: true });
    await expectFinding(ann.file, 'file', 'error', `no database file at ${path()}`, 'database.path');
    const { findings, left_out: leftOut } = await diagnose(ann.file);
    expect(leftOut).to.include.members(['sqlite', 'integrity', 'triggers', 'references', 'peer_tables']);
    expect(findings.some(({ check }) => leftOut.includes(check))).to.equal(false);
  });

  it('and names a folder in its place', async () => {
    reconfigure(ann.file, { database: { path: '.' } });
    await expectFinding(ann.file, 'file', 'error', 'is no file', 'database.path');
  });

  it('and names what this user may not do', () => {
    const folder = dirname(path());
    chmodSync(ann.file, 0o444);
    chmodSync(path(), 0o444);
    chmodSync(folder, 0o555);
    const isRoot = process.getuid?.() === 0;
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [join(PROJECT, 'bin/sqlite-p2p-sync.js'), 'doctor', '--json', '--config', ann.file],
      {
        encoding: 'utf8',
        env: { ...process.env, NODE_V8_COVERAGE: undefined },
        ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
      },
    );
    chmodSync(folder, 0o755);
    expect(status, stderr).to.equal(1);
    const { findings } = JSON.parse(stdout) as DoctorReport;
    const said = findings.filter(({ check }) => check === 'file');
    expect(said.map(({ level }) => level)).to.deep.equal(['error', 'error']);
    expect(said[0]?.message).to.equal(`this user may not write ${path()} (EACCES)`);
    expect(said[1]?.message).to.include(`this user may not create files in ${folder}`);
    expect(said[0]?.fix).to.include('permissions');
  });

  it('and names a file that is no database', async () => {
    const other = join(dirname(path()), 'other.db');
    writeFileSync(other, 'no database, but longer than the header of one '.repeat(100));
    reconfigure(ann.file, { database: { path: other } });
    await expectFinding(ann.file, 'sqlite', 'error', 'is not a SQLite database', 'database.path');
    expect((await diagnose(ann.file)).left_out)
      .to.include('integrity')
      .and.not.include('sqlite');
  });

  /** Overwrites bytes of a page with what is no page of SQLite's. */
  function damage(page: number, offset: number, length: number): void {
    const size = ann.app.pragma('page_size', { simple: true }) as number;
    ann.app.pragma('wal_checkpoint(TRUNCATE)');
    ann.app.close();
    const file = openSync(path(), 'r+');
    writeSync(file, Buffer.alloc(length, 0xa5), 0, length, (page - 1) * size + offset);
    closeSync(file);
  }

  const damages = { 'is no page any more': [0, 1024], 'points nowhere': [8, 40] } as const;
  for (const [kind, [offset, length]] of Object.entries(damages)) {
    it(`and names damage where a page ${kind}, and looks at the rest`, async () => {
      addWords(ann.app, ...Array.from({ length: 2_000 }, (_, n) => `word-${n}`));
      await runMain(['prune', '--config', ann.file]);
      const leaves = `SELECT pageno FROM dbstat WHERE name = 'words' AND pagetype = 'leaf' LIMIT 1 OFFSET 3`;
      damage(ann.app.prepare(leaves).pluck().get() as number, offset, length);
      const { findings } = await diagnose(ann.file);
      const found = findings.filter(({ check }) => check === 'integrity');
      expect(found.map(({ level }) => level))
        .to.include('error')
        .and.not.include('ok');
      expect(found[0]?.message)
        .to.match(/damage/i)
        .and.not.include('\n');
      expect(found[0]?.fix).to.include('restore a backup');
      expect(findings).to.deep.include({
        check: 'triggers',
        level: 'ok',
        message: '4 are in place',
        fix: null,
      });
    });
  }

  it('and says what it could not look at where the schema is damaged', async () => {
    damage(1, 100, 400);
    const { findings, left_out: leftOut } = await diagnose(ann.file);
    expect(findings.find(({ check }) => check === 'tables')?.level).to.equal('error');
    expect(leftOut).to.include.members(['app_triggers', 'migrated', 'triggers', 'peer_tables']);
  });

  it('and names a journal mode that is not the configured one', async () => {
    // Reads first: this connection does not know yet that migrate has changed the mode.
    addWords(ann.app, 'a');
    expect(ann.app.pragma('journal_mode = delete', { simple: true })).to.equal('delete');
    await expectFinding(ann.file, 'journal_mode', 'warning', 'delete instead of wal', 'migrate');
    reconfigure(ann.file, { database: { wal: false } });
    await expectFinding(ann.file, 'journal_mode', 'ok', 'delete');
  });

  it('and names a lock that keeps everybody out', async () => {
    addWords(ann.app, 'a');
    ann.app.pragma('journal_mode = delete');
    reconfigure(ann.file, { database: { busy_timeout: '100ms' } });
    ann.app.exec('BEGIN EXCLUSIVE');
    await expectFinding(ann.file, 'sqlite', 'error', 'is locked by another program', 'transaction open');
    ann.app.exec('ROLLBACK');
    await expectFinding(ann.file, 'sqlite', 'ok', 'SQLite database');
  });

  it('and names a disk that is almost full', async () => {
    reconfigure(ann.file, { database: { low_disk: '900TB' } });
    await expectFinding(ann.file, 'disk', 'error', 'below database.low_disk, 900 TB', 'Make room');
  });

  it('and names tables that can not be replicated', async () => {
    ann.app.exec('CREATE TABLE loose (x)');
    reconfigure(ann.file, {
      tables: [{ name: 'words', timestamp_column: 'changed' }, { name: 'loose' }, { name: 'gone' }],
    });
    const { findings } = await diagnose(ann.file);
    const said = findings.filter(({ check }) => check === 'tables').map(({ message }) => message);
    expect(said).to.have.lengthOf(3);
    expect(said[0]).to.include('tables[0].timestamp_column: no such column "changed"');
    expect(said[1]).to.include('has no primary key');
    expect(said[2]).to.include('no such table "gone"');
  });

  it('and names triggers of the application that make replicas differ, or says that they are guarded', async () => {
    await expectFinding(ann.file, 'app_triggers', 'ok', 'none is guarded');
    ann.app.exec(`CREATE TRIGGER touch AFTER INSERT ON words BEGIN
      UPDATE words SET updated_at = 1 WHERE id = NEW.id; END`);
    await expectFinding(
      ann.file,
      'app_triggers',
      'error',
      '"touch" on "words" writes words',
      'guard-triggers',
    );
    await runMain(['migrate', '--no-backup', '--guard-triggers', '--config', ann.file]);
    await expectFinding(ann.file, 'app_triggers', 'ok', 'guarded: touch');
  });

  it('and names one that was not migrated, or by a newer release', async () => {
    ann.app.exec(`INSERT INTO _sync_migrations VALUES (999, 'from-the-future', 0)`);
    await expectFinding(ann.file, 'migrated', 'error', 'newer release', 'Update');
    ann.app.close();
    const down = await runMain(['migrate', '--down', '--purge', '--no-backup', '--config', ann.file]);
    expect(down.status, down.stderr).to.equal(0);
    await expectFinding(ann.file, 'migrated', 'error', 'not prepared', 'sqlite-p2p-sync migrate');
    expect((await diagnose(ann.file)).left_out)
      .to.include('triggers')
      .and.not.include('tables');
  });
});
