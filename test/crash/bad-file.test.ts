import { chmodSync, chownSync, closeSync, openSync, readdirSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { countOf, execute, queryRow } from '../replication/content.js';
import { commandLine } from '../replication/command-line.js';
import { startPython, withPrograms } from '../replication/foreign-programs.js';
import type { Replica } from '../replication/group.js';
import { Program } from '../replication/program.js';
import { CrashPair, addWords } from './pair.js';

const NOBODY = 65_534;
const MANY = 5_000;
const LOCKED_MS = 2_500;

describe('a replica whose file can not be used as it should', function () {
  this.timeout(60_000);
  let pair: CrashPair;

  beforeEach(async () => {
    pair = await CrashPair.create({ database: { busy_timeout: '500ms' } });
  });
  afterEach(() => pair?.remove());

  it('says which file it may not write to, and leaves it as it is', async () => {
    const { desktop } = pair;
    await desktop.join();
    const folder = dirname(desktop.database);
    giveToNobody(folder);
    for (const folderMode of [0o755, 0o555]) {
      chmodSync(folder, folderMode);
      for (const command of ['start', 'sync', 'backfill', 'migrate --down']) {
        const program = asNobody([...command.split(' '), '--config', desktop.configFile]);
        const { code } = await program.ended;
        expect(code, `${command}: ${program.transcript}`).to.equal(1);
        expect(program.errors, command).to.include(desktop.database).and.to.include('permissions');
        expect(program.errors, command).not.to.include('unexpected');
      }
    }
    expect(queryRow(desktop.database, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
  });

  it('names damage in the middle of the file, stays up, and does what it still can', async () => {
    const { desktop, laptop } = pair;
    addWords(desktop, MANY);
    await pair.joinBoth();
    await pair.startBoth();
    await laptop.pull('desktop');
    await desktop.stop();
    // the rows that are to be damaged are served once more to whoever starts from the beginning
    damage(desktop, pageOf(desktop, 'words'));
    await desktop.start();

    const page = await desktop.fetch('/sync/changes?limit=10000');
    expect(page.status).to.equal(503);
    expect(await page.json()).to.have.nested.property('error.code', 'database_corrupt');
    expect((await desktop.fetch('/health')).status).to.equal(200);
    expect((await desktop.status()).node).to.equal('desktop');

    // what does not touch the damage goes on, in both directions
    execute(laptop.database, "INSERT INTO words VALUES ('zz-laptop', 'after the damage', 1)");
    await desktop.pull('laptop');
    execute(desktop.database, "INSERT INTO words VALUES ('zz-desktop', 'after the damage', 1)");
    await laptop.pull('desktop');
    expect(countOf(laptop.database, 'words', "id LIKE 'zz-%'")).to.equal(2);
    expect(desktop.isRunning).to.equal(true);
  });

  withPrograms(['python3'], () => {
    it('fails its pull while an application holds the write lock, and goes on with the next', async () => {
      const { desktop, laptop } = pair;
      addWords(laptop, 300);
      await pair.joinBoth();
      await pair.startBoth();
      await desktop.logged('pull finished', ({ applied }) => applied === 300);
      execute(laptop.database, "UPDATE words SET english = 'newer', updated_at = updated_at + 1");

      const app = startPython('lock_holder.py', desktop.database);
      await app.line((line) => line === 'locked', 'lock');
      const lockedMs = performance.now();
      await desktop.fetch('/sync/trigger-all', { method: 'POST' });
      await desktop.logged('pull failed', ({ error }) => JSON.stringify(error).includes('write lock'));
      const { changes } = (await (await desktop.fetch('/sync/changes')).json()) as { changes: unknown[] };
      expect(changes).to.have.length(300);
      expect(performance.now() - lockedMs, 'ms until it said so').to.be.lessThan(LOCKED_MS * 2);

      app.closeInput();
      expect((await app.ended).code, app.transcript).to.equal(0);
      await pair.expectConverged(302);
      expect(countOf(desktop.database, 'words', "english = 'newer'")).to.equal(300);
    });
  });
});

/** Makes a replica's files readable, and no more, to the user that the commands run as. */
function giveToNobody(folder: string): void {
  const files = readdirSync(folder).map((name) => join(folder, name));
  for (const file of files) chmodSync(file, 0o444);
  if (process.getuid?.() !== 0) return;
  for (const path of [dirname(folder), folder, ...files]) chownSync(path, NOBODY, NOBODY);
}

/** Runs a command as a user to whom permissions apply; root may write everything. */
function asNobody(args: readonly string[]): Program {
  const command = commandLine(args);
  if (process.getuid?.() !== 0) return new Program(command);
  const user = `--reuid=${NOBODY}`;
  return new Program(['setpriv', user, `--regid=${NOBODY}`, '--clear-groups', '--', ...command]);
}

/** A page in the middle of a table. */
function pageOf({ database }: Replica, table: string): number {
  const [page] = queryRow(
    database,
    `SELECT pageno FROM dbstat WHERE name = '${table}' AND pagetype = 'leaf'
     ORDER BY path LIMIT 1 OFFSET (SELECT count(*) / 2 FROM dbstat WHERE name = '${table}' AND pagetype = 'leaf')`,
  );
  return page as number;
}

/** Overwrites a page, as a failing disk does. */
function damage({ database }: Replica, page: number): void {
  const [size] = queryRow(database, 'PRAGMA page_size') as [number];
  const file = openSync(database, 'r+');
  writeSync(file, Buffer.alloc(size, 0xa5), 0, size, (page - 1) * size);
  closeSync(file);
}
