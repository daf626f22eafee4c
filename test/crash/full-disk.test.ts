import { statSync, writeFileSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'chai';
import { countOf, execute, queryRow } from '../replication/content.js';
import { commandLine } from '../replication/command-line.js';
import type { Replica } from '../replication/group.js';
import { Program } from '../replication/program.js';
import { CrashPair, addWords } from './pair.js';

const MANY = 5_000;

describe('a replica on a full disk', function () {
  this.timeout(60_000);
  let pair: CrashPair;

  beforeEach(async () => {
    pair = await CrashPair.create({ sync: { page_size: 200 }, log: { format: 'json', level: 'debug' } });
    addWords(pair.desktop, MANY);
  });
  afterEach(() => pair?.remove());

  it('says so, serves what it has, loses nothing, and goes on once there is room', async () => {
    const { laptop } = pair;
    await pair.joinBoth();
    const setPages = limitPages(laptop, 60);
    await pair.startBoth();
    const failed = await laptop.logged('pull failed');
    expect(failed).to.deep.include({ level: 'warn', peer: 'desktop' });
    expect(JSON.stringify(failed.error)).to.include(`no room to write to ${laptop.database}`);
    const before = countOf(laptop.database, 'words');
    expect(before).to.be.within(200, MANY - 1);

    // the application has room of its own, but what it writes can't be folded
    execute(
      laptop.database,
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
       INSERT INTO words SELECT 'app' || i, 'by the application', 1 FROM n`,
    );
    await laptop.logged('fold failed');
    expect((await laptop.fetch('/health')).status).to.equal(200);
    const { peers } = await laptop.status();
    expect(peers[0]?.pull?.last_error?.code).to.equal('disk_full');
    expect((await laptop.fetch('/sync/changes')).status).to.equal(200);
    expect(laptop.isRunning).to.equal(true);
    expect(countOf(laptop.database, 'words')).to.equal(before + 300);

    setPages(0);
    await laptop.pull('desktop');
    await pair.expectConverged(MANY + 300);
    expect(laptop.log.filter(({ level }) => level === 'error')).to.deep.equal([]);
  });

  it('ends `sync` with a message, and the next one goes on, where files may not grow', async () => {
    const { desktop, laptop } = pair;
    await pair.joinBoth();
    await desktop.start();
    const limited = limitedInKiB(laptop, 300, 'sync');
    const { code } = await limited.ended;
    expect(code, limited.transcript).to.equal(1);
    expect(limited.errors)
      .to.match(/disk_error|disk_full/)
      .and.to.include(laptop.database);
    expect(queryRow(laptop.database, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
    expect(countOf(laptop.database, 'words')).to.be.lessThan(MANY);
    await laptop.cli('sync');
    await laptop.start();
    await pair.expectConverged(MANY);
  });

  it('leaves everything as it was when `migrate` has no room for its backup', async () => {
    const { desktop } = pair;
    const sizeKiB = Math.floor(statSync(desktop.database).size / 1024);
    const limited = limitedInKiB(desktop, Math.floor(sizeKiB / 2), 'migrate');
    const { code } = await limited.ended;
    expect(code, limited.transcript).to.equal(1);
    expect(limited.errors).to.include('backup').and.to.include('nothing was changed');
    expect(readdirSync(dirname(desktop.database)).filter(isBackup)).to.deep.equal([]);
    const ours = "SELECT count(*) FROM sqlite_schema WHERE name LIKE '\\_sync\\_%' ESCAPE '\\'";
    expect(queryRow(desktop.database, ours)).to.deep.equal([0]);
    expect(queryRow(desktop.database, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
    await desktop.join();
  });
});

/** Limits the pages of a replica's database, for its daemon alone; returns what changes the limit. */
function limitPages(replica: Replica, pages: number): (pages: number) => void {
  const file = `${replica.database}-max-pages`;
  writeFileSync(file, String(pages));
  const preload = new URL('./small-disk.js', import.meta.url).href;
  replica.environment = { NODE_OPTIONS: `--import=${preload}`, TEST_MAX_PAGES_FILE: file };
  return (changed) => {
    writeFileSync(file, String(changed));
  };
}

/** Runs a command whose process may not make any file larger. */
function limitedInKiB({ configFile }: Replica, kib: number, name: string): Program {
  const command = commandLine([name, '--config', configFile]);
  return new Program(['bash', '-c', `ulimit -f ${kib}; exec "$@"`, 'bash', ...command]);
}

function isBackup(name: string): boolean {
  return name.includes('.before-migrate-');
}
