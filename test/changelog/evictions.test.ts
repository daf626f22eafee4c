import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Config } from '#src/config/config.js';
import { runMain } from '../cli/captured.js';
import { printedSeed, runsOf } from '../random.js';
import { scratchFolder } from '../scratch.js';
import { createDatabaseFile } from '../stand-ins/database-file.js';
import { SteppedProcess } from './stepped-process.js';

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** Each takes the word of another row, which goes; no row comes. */
const EVICT = `UPDATE OR REPLACE words SET english = 'word b' WHERE id = 'a'`;
const EVICT_AGAIN = `UPDATE OR REPLACE words SET english = 'word d' WHERE id = 'c'`;

/** Behind the triggers, as while they are missing; they are found so, and the table is to be compared. */
const UNSEEN = `
  BEGIN IMMEDIATE;
  UPDATE _sync_guard SET applying = 1;
  UPDATE words SET updated_at = ifnull(updated_at, 1700000000000) + 1 WHERE id > 'c';
  UPDATE _sync_guard SET applying = 0;
  UPDATE _sync_backfill SET gap = 1, done = 0, after_key = NULL, gaps = gaps + 1;
  COMMIT`;

/** As many times a process catches up at most, where nobody writes, until all is known. */
const ROUNDS = 6;

/** More transactions than any of these has. */
const MANY = 60;

type Does = 'step' | 'catch up' | 'backfill' | 'be killed';
type Step = { readonly app: string } | { readonly index: number; readonly does: Does };

describe('the search for rows that REPLACE evicted', function () {
  this.timeout(240_000);
  let config: Config;
  let original: string;
  let app: Database;
  let processes: SteppedProcess[] = [];
  let nowMs: number;
  let copies = 0;

  before(async () => {
    const made = await createDatabaseFile('ann');
    made.app.exec('CREATE UNIQUE INDEX words_english ON words (english)');
    for (const key of KEYS) made.app.exec(`INSERT INTO words VALUES ('${key}', 'word ${key}', NULL)`);
    const { status, stderr } = await runMain(['backfill', '--config', made.file]);
    expect(status, stderr).to.equal(0);
    original = made.app.name;
    made.app.close();
    ({ config } = made);
  });
  beforeEach(open);
  afterEach(close);

  /** A copy of the database, in which every row has its version, and two processes that have it open. */
  function open(): void {
    copies += 1;
    const file = join(scratchFolder(), `copy-${copies}.db`);
    copyFileSync(original, file);
    app = new BetterSqlite3(file);
    app.pragma('synchronous = OFF');
    nowMs = 1_800_000_000_000;
    processes = [0, 1].map(() => new SteppedProcess(config, file, () => (nowMs += 1)));
  }

  async function close(): Promise<void> {
    for (const process of processes) await process.kill();
    app.close();
  }

  async function anew(): Promise<void> {
    await close();
    open();
  }

  function processAt(index: number): SteppedProcess {
    const process = processes[index];
    if (process === undefined) throw new Error(`no process ${index}`);
    return process;
  }

  async function killAt(index: number): Promise<void> {
    await processAt(index).kill();
    processes[index] = new SteppedProcess(config, app.name, () => (nowMs += 1));
  }

  async function catchUp(process: SteppedProcess): Promise<void> {
    await process.startCatchUp();
    await process.finish();
  }

  function keys(sql: string): unknown[] {
    return app.prepare(`SELECT ${sql} ORDER BY 1`).pluck().all();
  }

  function versions(): unknown[] {
    return app.prepare('SELECT record_id, timestamp, fingerprint FROM _sync_changes ORDER BY 1').all();
  }

  /**
   * Once nobody writes, every row has its version, every version its row, the next eviction is seen too, and a
   * comparison of the whole table finds nothing more.
   */
  async function expectAllSeen(what: string): Promise<void> {
    for (const evict of [null, `INSERT OR REPLACE INTO words SELECT 'z', english, NULL FROM words LIMIT 1`]) {
      if (evict !== null) app.exec(evict);
      for (let round = 0; round < ROUNDS; round += 1) await catchUp(processAt(0));
      const live = keys('record_id FROM _sync_changes WHERE fingerprint IS NOT NULL');
      expect(live, `${what}: live versions`).to.deep.equal(keys('id FROM words'));
    }
    const state = app.prepare('SELECT done, gap, after_key FROM _sync_backfill').all();
    expect(state, what).to.deep.equal([{ done: 1, gap: 0, after_key: null }]);
    const known = versions();
    await processAt(0).startBackfill('words');
    await processAt(0).finish();
    expect(versions(), `${what}: versions before and after a backfill`).to.deep.equal(known);
  }

  /** Does it anew for each of the instants that `run` has; `run` says whether it came as far as that one. */
  async function atEveryInstant(run: (instant: number) => Promise<boolean>): Promise<void> {
    for (let instant = 0; await run(instant); instant += 1) {
      if (instant === MANY) throw new Error(`not over after ${MANY} transactions`);
      await expectAllSeen(`instant ${instant}`);
      await anew();
    }
  }

  /** Lets so many transactions through; false where it was over before. */
  async function steps(process: SteppedProcess, count: number): Promise<boolean> {
    for (let step = 0; step < count; step += 1) await process.step();
    return process.isRunning;
  }

  it('finds them at whatever instant of a comparison of the table they went', async () => {
    await atEveryInstant(async (instant) => {
      app.exec(UNSEEN);
      const process = processAt(0);
      await process.startCatchUp();
      const isRunning = await steps(process, instant);
      app.exec(EVICT);
      await process.finish();
      return isRunning;
    });
  });

  it('finds them at whatever instant of a search for others they went', async () => {
    await atEveryInstant(async (instant) => {
      const process = processAt(0);
      app.exec(EVICT);
      await process.startCatchUp();
      const isRunning = await steps(process, instant);
      app.exec(EVICT_AGAIN);
      await process.finish();
      return isRunning;
    });
  });

  it('lets nobody close a gap that another process found meanwhile', async () => {
    await atEveryInstant(async (instant) => {
      const [one, other] = [processAt(0), processAt(1)];
      app.exec(EVICT);
      await catchUp(one);
      app.exec(EVICT_AGAIN);
      await one.startCatchUp();
      const isRunning = await steps(one, instant);
      app.exec(UNSEEN);
      await other.startCatchUp();
      await steps(other, 2);
      await one.finish();
      await killAt(1);
      return isRunning;
    });
  });

  it('goes on where a second backfill is killed', async () => {
    await atEveryInstant(async (instant) => {
      await processAt(1).startBackfill('words');
      const isRunning = await steps(processAt(1), instant);
      await killAt(1);
      app.exec(EVICT);
      return isRunning;
    });
  });

  it('does not compare twice what another process compares at the same time', async () => {
    app.exec(UNSEEN);
    const [one, other] = [processAt(0), processAt(1)];
    await one.startCatchUp();
    await other.startCatchUp();
    while (one.isRunning || other.isRunning) await Promise.all([one.step(), other.step()]);
    const appended = app.prepare(`SELECT seq FROM sqlite_sequence WHERE name = '_sync_changes'`).pluck();
    const seq = appended.get() as number;
    await catchUp(one);
    expect(appended.get()).to.equal(seq);
    await expectAllSeen('both together');
  });

  it('ends with a version for every row, and a row for every version, in random histories', async () => {
    const runs = runsOf({ suite: 60, soak: 2_000 });
    const property = fc.asyncProperty(fc.array(anyStep(), { maxLength: 60 }), async (history) => {
      await anew();
      for (const step of history) await perform(step);
      for (const process of processes) await process.finish();
      await expectAllSeen('at the end');
    });
    await fc.assert(property, { numRuns: runs, seed: printedSeed(runs) });
  });

  async function perform(step: Step): Promise<void> {
    if ('app' in step) return void app.exec(step.app);
    const process = processAt(step.index);
    if (step.does === 'be killed') return killAt(step.index);
    if (step.does === 'step' || process.isRunning) return void (await process.step());
    return step.does === 'catch up' ? process.startCatchUp() : process.startBackfill('words');
  }
});

function anyStep(): fc.Arbitrary<Step> {
  const key = fc.constantFrom(...KEYS);
  const statements = fc.oneof(
    fc.tuple(key, key).map(([a, b]) => `UPDATE OR REPLACE words SET english = 'word ${a}' WHERE id = '${b}'`),
    fc.tuple(key, key).map(([a, b]) => `INSERT OR REPLACE INTO words VALUES ('${a}', 'word ${b}', NULL)`),
    fc.tuple(key, key).map(([a, b]) => `INSERT OR IGNORE INTO words VALUES ('${a}', 'word ${b}', NULL)`),
    key.map((a) => `DELETE FROM words WHERE id = '${a}'`),
    fc.constant(UNSEEN),
  );
  const does = fc.oneof(
    { weight: 12, arbitrary: fc.constant<Does>('step') },
    { weight: 4, arbitrary: fc.constant<Does>('catch up') },
    { weight: 1, arbitrary: fc.constantFrom<Does>('backfill', 'be killed') },
  );
  return fc.oneof(
    { weight: 1, arbitrary: statements.map((app) => ({ app })) },
    { weight: 3, arbitrary: fc.record({ index: fc.nat({ max: 1 }), does }) },
  );
}
