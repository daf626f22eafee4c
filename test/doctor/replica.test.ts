import { copyFileSync, rmSync } from 'node:fs';
import { expect } from 'chai';
import { markFileOf } from '#src/changelog/mark-file.js';
import { examine } from '#src/doctor/examine.js';
import { runMain } from '../cli/captured.js';
import { pullFile } from '../commands/pull-file.js';
import { addWords, createDatabaseFile, type DatabaseFile } from '../stand-ins/database-file.js';
import { expectFinding, findingsOf, reconfigure } from './diagnosis.js';

const DAY_MS = 24 * 60 * 60 * 1000;

describe('doctor looks at the replica', function () {
  this.timeout(60_000);
  const files: DatabaseFile[] = [];
  let ann: DatabaseFile;

  beforeEach(async () => {
    ann = await create('ann');
  });
  afterEach(() => {
    for (const { app } of files.splice(0)) app.close();
  });

  async function create(...args: Parameters<typeof createDatabaseFile>): Promise<DatabaseFile> {
    const file = await createDatabaseFile(...args);
    files.push(file);
    return file;
  }

  it('and names tables whose triggers are missing, or have another text', async () => {
    await expectFinding(ann.file, 'triggers', 'ok', '4 are in place');
    ann.app.exec('DROP TRIGGER _sync_words_update');
    await expectFinding(ann.file, 'triggers', 'error', 'written to words is not captured', 'migrate');
    ann.app.exec(`CREATE TRIGGER _sync_words_update AFTER UPDATE ON words WHEN 0 BEGIN
      INSERT INTO _sync_changes (table_name) VALUES ('words'); END`);
    await expectFinding(ann.file, 'triggers', 'error', 'triggers of words are not those', 'migrate');
    await runMain(['migrate', '--no-backup', '--config', ann.file]);
    await expectFinding(ann.file, 'triggers', 'ok', '4 are in place');
  });

  it('and names triggers of a table that is no longer configured', async () => {
    ann.app.exec('CREATE TABLE notes (id TEXT PRIMARY KEY)');
    reconfigure(ann.file, { tables: [{ name: 'notes' }] });
    await runMain(['migrate', '--no-backup', '--config', ann.file]);
    reconfigure(ann.file, { tables: [{ name: 'words', timestamp_column: 'updated_at' }] });
    const said = await findingsOf(ann.file, 'triggers');
    expect(said.map(({ level }) => level)).to.deep.equal(['error', 'warning']);
    expect(said[1]?.message).to.include('notes has triggers of ours');
  });

  it('and names tables that need a backfill', async () => {
    await expectFinding(ann.file, 'backfill', 'ok', 'no rows');
    const old = await create('old', { migrated: false });
    addWords(old.app, 'a');
    await runMain(['migrate', '--no-backup', '--config', old.file]);
    await expectFinding(old.file, 'backfill', 'warning', 'words', 'sqlite-p2p-sync backfill');
    await runMain(['backfill', '--config', old.file]);
    await expectFinding(old.file, 'backfill', 'ok', 'no rows');
  });

  it('and says that a file without its mark goes on as a new instance', async () => {
    await expectFinding(ann.file, 'mark_file', 'ok', 'agrees');
    rmSync(markFileOf(ann.config.database.path));
    await expectFinding(
      ann.file,
      'mark_file',
      'warning',
      'is missing; the next start goes on as a new',
      'moved',
    );
  });

  it('and says so of the file of another replica', async () => {
    reconfigure(ann.file, { node: { id: 'bob' } });
    await expectFinding(ann.file, 'mark_file', 'warning', 'the database of replica "ann"', 'node.id');
  });

  it('and says so of a backup that was restored into the same file', async () => {
    const path = ann.config.database.path;
    ann.app.pragma('wal_checkpoint(TRUNCATE)');
    copyFileSync(path, `${path}.backup`);
    addWords(ann.app, 'a', 'b');
    await runMain(['prune', '--config', ann.file]);
    await expectFinding(ann.file, 'mark_file', 'ok', 'agrees');
    ann.app.close();
    for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true });
    copyFileSync(`${path}.backup`, path);
    await expectFinding(ann.file, 'mark_file', 'warning', 'restored from a backup', 'peers');
  });

  it('and names what waits for a daemon that does not run', async () => {
    await expectFinding(ann.file, 'unfolded', 'ok', 'every captured change');
    addWords(ann.app, 'a', 'b');
    await expectFinding(ann.file, 'unfolded', 'warning', '2 entries wait', 'sqlite-p2p-sync start');
  });

  it('and names the quarantine', async () => {
    await expectFinding(ann.file, 'quarantine', 'ok', 'empty');
    ann.app.exec(`CREATE TRIGGER no BEFORE INSERT ON words BEGIN SELECT RAISE(ABORT, 'not now'); END`);
    const bob = await create('bob');
    addWords(bob.app, 'a', 'b');
    await pullFile(bob, ann);
    await expectFinding(ann.file, 'quarantine', 'warning', '2 changes', 'sqlite-p2p-sync quarantine');
  });

  it('and names open conflicts', async () => {
    await expectFinding(ann.file, 'conflicts', 'ok', 'none');
    const bob = await create('bob');
    for (const { app, config } of [ann, bob]) {
      app.prepare('INSERT INTO words VALUES (?, ?, ?)').run('a', config.node.id, 1_704_326_400_000);
    }
    await pullFile(bob, ann);
    await expectFinding(ann.file, 'conflicts', 'warning', '1 conflict', 'sqlite-p2p-sync conflicts');
  });

  it('and names references that dangle, and those that can not be checked', async () => {
    await expectFinding(ann.file, 'references', 'ok', 'no reference dangles');
    ann.app.pragma('foreign_keys = OFF');
    ann.app.exec(`CREATE TABLE notes (id TEXT PRIMARY KEY, word TEXT REFERENCES words);
      INSERT INTO notes VALUES ('n', 'gone');
      CREATE TABLE odd (word TEXT REFERENCES words (english))`);
    const said = await findingsOf(ann.file, 'references');
    expect(said.map(({ level }) => level)).to.deep.equal(['warning', 'warning']);
    expect(said[0]?.message).to.equal('1 row of notes refers by word to words that is not there.');
    expect(said[1]?.message).to.include("the foreign keys of odd can't be checked").and.include('mismatch');
  });

  it('and names who has kept tombstones from being pruned for long', async () => {
    const cid = await create('cid', { peers: [{ name: 'bob', address: '127.0.0.1:9' }] });
    addWords(cid.app, 'a');
    await runMain(['prune', '--config', cid.file]);
    cid.app.exec('DELETE FROM words');
    await runMain(['prune', '--config', cid.file]);
    const pruningAt = async (nowMs: number) => {
      const daemon = { running: false, status: null, error: null };
      const { findings } = await examine({ config: cid.config, daemon, version: '1', nowMs });
      return findings.find(({ check }) => check === 'pruning');
    };
    expect(await pruningAt(Date.now())).to.include({
      level: 'ok',
      message: '1 tombstone waits, none for long',
    });
    const late = await pruningAt(Date.now() + 30 * DAY_MS);
    expect(late?.level).to.equal('warning');
    expect(late?.message).to.equal('1 tombstone waits, the oldest for 30d, for bob');
    expect(late?.fix).to.include('peers forget bob');
  });
});
