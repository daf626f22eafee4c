import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { printedSeed, randomNumbers, runsOf } from '../random.js';
import { startCli } from '../replication/command-line.js';
import { countOf, execute, queryRow } from '../replication/content.js';
import { startPython, withPrograms } from '../replication/foreign-programs.js';
import { until, type Replica } from '../replication/group.js';
import type { Program } from '../replication/program.js';
import { CrashPair, addWords } from './pair.js';

const ROUNDS = runsOf({ suite: 2, soak: 60 });
const MANY = 8_000;

describe('a replica that is killed at random instants', function () {
  this.timeout(60_000 + ROUNDS * 10_000);
  let pair: CrashPair;
  let random: () => number;

  before(() => (random = randomNumbers(printedSeed(ROUNDS))));
  afterEach(() => pair?.remove());

  it('while it migrates is prepared wholly or not at all', async () => {
    let longestMs = 0;
    for (let round = 0; round <= ROUNDS; round += 1) {
      await pair?.remove();
      pair = await CrashPair.create();
      const { desktop } = pair;
      addWords(desktop, MANY);
      const startedMs = performance.now();
      const migrating = command(desktop, 'migrate');
      // the first run shows how long one takes, of which most is the start of the program
      await Promise.race([
        migrating.ended,
        ...(round === 0 ? [] : [pause(longestMs * (0.6 + random() * 0.4))]),
      ]);
      await migrating.end('SIGKILL');
      longestMs = Math.max(longestMs, performance.now() - startedMs);

      expect(queryRow(desktop.database, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
      execute(desktop.database, "INSERT INTO words VALUES ('since', 'written after the crash', 1)");
      for (const backup of backupsOf(desktop)) {
        expect(queryRow(backup, 'PRAGMA integrity_check'), backup).to.deep.equal(['ok']);
        expect(countOf(backup, 'words'), backup).to.equal(MANY);
      }
      await desktop.join();
      expectVersions(desktop, MANY + 1);
    }
  });

  it('while it backfills goes on where it was', async () => {
    pair = await CrashPair.create();
    const { desktop } = pair;
    addWords(desktop, MANY);
    await desktop.cli('migrate', '--no-backup');
    const counts: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const versions = () => countOf(desktop.database, '_sync_changes', 'origin IS NOT NULL');
      await killOnTheWay(command(desktop, 'backfill'), versions);
      expect(queryRow(desktop.database, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
      counts.push(versions());
    }
    expect(counts).to.deep.equal([...counts].sort((a, b) => a - b));
    await desktop.cli('backfill');
    expectVersions(desktop, MANY);
    console.log(`      versions after each kill: ${counts.join(', ')}`);
  });

  withPrograms(['python3'], () => {
    it('while it folds what an application writes in bulk loses nothing of it', async () => {
      pair = await CrashPair.create({ sync: { interval: '300ms' } });
      const { desktop, laptop } = pair;
      await pair.joinBoth();
      await laptop.start();
      const writer = startPython('bulk_writer.py', desktop.database, 'bulk');
      for (let round = 0; round < ROUNDS; round += 1) {
        await desktop.start();
        await pause(random() * 400);
        await desktop.kill();
      }
      writer.closeInput();
      expect((await writer.ended).code, writer.transcript).to.equal(0);
      const alive = Number(/^committed (\d+)$/.exec(writer.lines.at(-1) ?? '')?.[1]);
      await desktop.start();
      await pair.expectConverged(alive);
      console.log(`      ${alive} rows were left by the writer`);
    });
  });

  it('while it pulls in `sync` goes on at its cursor', async () => {
    pair = await CrashPair.create({ sync: { page_size: 100 } });
    const { desktop, laptop } = pair;
    addWords(desktop, MANY);
    await pair.joinBoth();
    await desktop.start();
    const counts: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const words = () => countOf(laptop.database, 'words');
      await killOnTheWay(command(laptop, 'sync'), words);
      expect(queryRow(laptop.database, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
      counts.push(words());
    }
    expect(counts).to.deep.equal([...counts].sort((a, b) => a - b));
    const before = counts.at(-1) ?? 0;
    const { peers } = JSON.parse(await laptop.cli('sync', '--json')) as { peers: [{ applied: number }] };
    expect(peers[0].applied).to.equal(MANY - before);
    await laptop.start();
    await pair.expectConverged(MANY);
    console.log(`      rows after each kill: ${counts.join(', ')}`);
  });

  it('while it prunes drops the rest with the next time, and brings nothing back', async () => {
    pair = await CrashPair.create();
    const { desktop, laptop } = pair;
    addWords(desktop, MANY);
    await pair.joinBoth();
    await pair.startBoth();
    await laptop.pull('desktop');
    execute(desktop.database, "DELETE FROM words WHERE id <> 'w1'");
    await pair.group.settle();
    const tombstones = () => countOf(desktop.database, '_sync_changes', 'fingerprint IS NULL');
    const counts = [tombstones()];
    expect(counts).to.deep.equal([MANY - 1]);
    const startedMs = performance.now();
    await desktop.cli('prune', '--dry-run');
    const wholeMs = performance.now() - startedMs;
    for (let round = 0; round < ROUNDS; round += 1) {
      const pruning = command(desktop, 'prune');
      await Promise.race([pruning.ended, pause(wholeMs * (0.6 + random() * 0.6))]);
      await pruning.end('SIGKILL');
      expect(queryRow(desktop.database, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
      counts.push(tombstones());
    }
    expect(counts).to.deep.equal([...counts].sort((a, b) => b - a));
    await desktop.cli('prune');
    expect(tombstones()).to.equal(0);
    await pair.expectConverged(1);
    console.log(`      tombstones before and after each kill: ${counts.join(', ')}`);
  });

  it('while it shuts down loses and repeats nothing', async () => {
    pair = await CrashPair.create({ sync: { page_size: 100 } });
    const { desktop, laptop } = pair;
    addWords(desktop, MANY);
    await pair.joinBoth();
    await desktop.start();
    for (let round = 0; round < ROUNDS; round += 1) {
      await laptop.start();
      execute(laptop.database, `INSERT INTO words VALUES ('l${round}', 'on the laptop', 1)`);
      await pause(random() * 300);
      const stopping = laptop.daemon.end('SIGTERM');
      await pause(random() * 250);
      await laptop.kill();
      await stopping;
      expect(queryRow(laptop.database, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
    }
    await laptop.start();
    await pair.expectConverged(MANY + ROUNDS);
  });

  /** Ends a program by force a moment after what it enters has begun to grow, unless it is done before. */
  async function killOnTheWay(program: Program, entries: () => number): Promise<void> {
    const before = entries();
    const grown = until(() => !program.isRunning || entries() > before, 'progress');
    await Promise.race([program.ended, grown.then(() => pause(random() * 100))]);
    await program.end('SIGKILL');
  }
});

function command({ configFile }: Replica, name: string): Program {
  return startCli([name, '--config', configFile]);
}

/** Backups that `migrate` has finished. */
function backupsOf({ database }: Replica): string[] {
  const folder = dirname(database);
  return readdirSync(folder)
    .filter((name) => name.includes('.before-migrate-') && !name.endsWith('.unfinished'))
    .filter((name) => !name.endsWith('-wal') && !name.endsWith('-shm') && !name.endsWith('-journal'))
    .map((name) => join(folder, name));
}

/** Each row has one version, and nothing waits to be folded. */
function expectVersions({ database }: Replica, rows: number): void {
  const entries = 'SELECT count(*), count(DISTINCT record_id), count(origin) FROM _sync_changes';
  expect(queryRow(database, entries)).to.deep.equal([rows, rows, rows]);
}
