import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect } from 'chai';
import { newBackupFile } from '#src/backup/kept-files.js';
import type { Config } from '#src/config/config.js';
import { SyncError } from '#src/errors.js';
import { keepBackups, backupReport, type BackupKeeper } from '#src/replica/backups.js';
import { startBackup } from '#src/threads/backup-maker.js';
import { queryRow } from '../replication/content.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';
import { addWords, createDatabaseFile, type DatabaseFile } from '../stand-ins/database-file.js';

const DAY_MS = 86_400_000;

describe('The backups in the configured folder', () => {
  let source: DatabaseFile;
  let config: Config;
  let log: LogRecorder;
  let keeper: BackupKeeper;
  let nowMs: number;

  beforeEach(async () => {
    source = await createDatabaseFile('desktop', { database: { low_disk: '1MB' } });
    addWords(source.app, 'a', 'b');
    config = { ...source.config, backup: { ...source.config.backup, keep: 2 } };
    log = new LogRecorder();
    nowMs = Date.UTC(2026, 2, 1, 2);
    keeper = keepBackups({
      config,
      start: (file) => startBackup(config, file),
      logger: log.logger,
      now: () => nowMs,
    });
  });
  afterEach(async () => {
    await keeper.close();
    source.app.close();
  });

  const names = (): string[] => readdirSync(config.backup.dir).sort();

  it('are named by database, node and time, and the oldest goes once a new one is there', async () => {
    for (let day = 0; day < 3; day += 1) {
      await keeper.make('scheduled');
      nowMs += DAY_MS;
    }
    expect(names()).to.deep.equal([
      'app.desktop.20260302T020000-000Z.db',
      'app.desktop.20260303T020000-000Z.db',
    ]);
    expect(queryRow(join(config.backup.dir, names()[1] ?? ''), 'SELECT count(*) FROM words')).to.deep.equal([
      2,
    ]);
    expect(keeper.report()).to.deep.include({
      kept: 2,
      running: false,
      last_error: null,
    });
    expect(keeper.report().last?.at_ms).to.equal(nowMs - DAY_MS);
  });

  it('are the only files that are ever removed there', async () => {
    mkdirSync(config.backup.dir);
    const others = [
      'app.db',
      'app.desktop.20250101T020000-000Z.db.gz',
      'app.laptop.20250101T020000-000Z.db',
      'app.desktop.before.db',
      'other.desktop.20250101T020000-000Z.db',
    ];
    for (const name of others) writeFileSync(join(config.backup.dir, name), 'of somebody else');
    for (let day = 0; day < 4; day += 1) {
      await keeper.make('scheduled');
      nowMs += DAY_MS;
    }
    expect(names())
      .to.include.members(others)
      .and.to.have.length(others.length + 2);
  });

  it('stay where the new one can not be made, and the reason is kept', async () => {
    await keeper.make('scheduled');
    nowMs += DAY_MS;
    const before = names();
    // One of that name is there already.
    const taken = newBackupFile(config, 'scheduled', nowMs);
    writeFileSync(taken, '');
    const error: unknown = await keeper.make('scheduled').catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(SyncError).and.to.have.property('code', 'backup_exists');
    expect(names()).to.deep.equal([...before, basename(taken)]);
    expect(keeper.report().last_error).to.deep.include({ code: 'backup_exists', at_ms: nowMs });
    nowMs += DAY_MS;
    await keeper.make('scheduled');
    expect(keeper.report().last_error).to.equal(null);
  });

  it('that are asked for push out none of the schedule', async () => {
    await keeper.make('scheduled');
    for (let round = 0; round < 4; round += 1) {
      nowMs += 1000;
      await keeper.make('asked');
    }
    expect(names().filter((name) => name.endsWith('-asked.db'))).to.have.length(2);
    expect(names()).to.include('app.desktop.20260301T020000-000Z.db').and.to.have.length(3);
  });

  it('are made one at a time', async () => {
    const [one, other] = await Promise.all([keeper.make('asked'), keeper.make('asked')]);
    expect(one.file).to.equal(other.file);
    expect(names()).to.have.length(1);
  });

  it('leave nothing unfinished when the daemon stops in the middle, or was killed', async () => {
    addWords(source.app, 'x'.repeat(20_000_000));
    const making = keeper.make('asked');
    mkdirSync(config.backup.dir, { recursive: true });
    const left = `${newBackupFile(config, 'scheduled', 0)}.12345.unfinished`;
    writeFileSync(left, 'half');
    await keeper.close();
    await making.catch(() => undefined);
    expect(existsSync(left)).to.equal(false);
    expect(names().filter((name) => name.includes('unfinished'))).to.deep.equal([]);
    expect(backupReport(config).running).to.equal(false);
    expect(dirname(left)).to.equal(config.backup.dir);
  });
});
