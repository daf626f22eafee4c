import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp, insertWords, withApp } from './app.js';
import type { Say } from './interleave.js';
import type { Figure } from './outcome.js';
import type { InstalledPeers } from './peers.js';
import { createReplicas, requireAllEqual, stopAll, type BenchReplica } from './replicas.js';
import { words } from './workload.js';

/** How much is measured. */
export interface Sizes {
  /** Of most measures. */
  readonly rows: number;
  /** The databases of measures 5 and 10. */
  readonly small: number;
  readonly large: number;
  readonly runs: number;
  /** Of a first sync, which goes more differently from run to run than the rest. */
  readonly firstSyncRuns: number;
  /** How many replicas the groups of measure 12 have. */
  readonly groups: readonly number[];
}

/** One measure of the benchmark. */
export interface Measure {
  readonly number: number;
  readonly title: string;
  /** Part of `--quick`. */
  readonly quick: boolean;
  run(bench: Bench): Promise<readonly Figure[]>;
}

/** Two replicas that hold so many rows alike: `ann` has them from the application, `bob` from `ann`. */
export interface SyncedPair {
  readonly ann: BenchReplica;
  readonly bob: BenchReplica;
  readonly firstSyncMs: number;
  /** Of the larger of the two daemons after the first sync, in MiB. */
  readonly peakMemoryMiB: number;
}

/** What the measures share: sizes, a folder, and what takes long to make. */
export class Bench {
  readonly #folder = mkdtempSync(join(tmpdir(), 'bench-'));
  readonly #pairs = new Map<number, SyncedPair>();
  #folders = 0;

  constructor(
    readonly sizes: Sizes,
    readonly say: Say,
    /** A string says why they are not compared with. */
    readonly peers: InstalledPeers | string,
  ) {}

  /** A new, empty folder. */
  folder(): string {
    this.#folders += 1;
    const folder = join(this.#folder, String(this.#folders));
    mkdirSync(folder);
    return folder;
  }

  /** A plain database that holds so many rows; shared, to be read or copied. */
  source(rows: number): string {
    const file = join(this.#folder, `source-${rows}.db`);
    if (existsSync(file)) return file;
    createApp(file);
    withApp(file, (database) => {
      insertWords(database, words(rows));
      database.pragma('wal_checkpoint(TRUNCATE)');
    });
    return file;
  }

  /** Runs work on two replicas whose daemons run, `bob` pulling from `ann`, and ends them. */
  async withPair<T>(work: (ann: BenchReplica, bob: BenchReplica) => Promise<T>): Promise<T> {
    const folder = this.folder();
    const [ann, bob] = await startPair(folder);
    try {
      return await work(ann, bob);
    } finally {
      await stopAll([ann, bob]);
      rmSync(folder, { recursive: true });
    }
  }

  /** The pair of this size, made when it is first asked for; its daemons run until `rest`. */
  async synced(rows: number): Promise<SyncedPair> {
    const known = this.#pairs.get(rows);
    if (known !== undefined) {
      await known.ann.start();
      await known.bob.start();
      return known;
    }
    const [ann, bob] = await startPair(this.folder());
    try {
      const firstSyncMs = await firstSync(ann, bob, rows);
      const peakMemoryMiB = Math.max(ann.peakMemoryMiB(), bob.peakMemoryMiB());
      this.say(`first sync of ${rows} rows: ${firstSyncMs.toFixed(0)} ms, ${peakMemoryMiB.toFixed(0)} MiB`);
      const pair = { ann, bob, firstSyncMs, peakMemoryMiB };
      this.#pairs.set(rows, pair);
      return pair;
    } catch (error) {
      await stopAll([ann, bob]);
      throw error;
    }
  }

  /** Ends the daemons of the pairs, so that they don't stand beside what is measured next. */
  async rest(): Promise<void> {
    for (const { ann, bob } of this.#pairs.values()) await stopAll([ann, bob]);
  }

  async end(): Promise<void> {
    await this.rest();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function startPair(folder: string): Promise<[BenchReplica, BenchReplica]> {
  const [ann, bob] = await createReplicas(folder, { ann: [], bob: ['ann'] });
  if (ann === undefined || bob === undefined) throw new TypeError('Expected two replicas');
  await ann.start();
  await bob.start();
  return [ann, bob];
}

/**
 * The application commits new rows on ann, and bob pulls them: from that commit to equal rows and a stored cursor, in
 * ms. The fold is in it, and whatever else ann has to do first.
 */
export async function firstSync(ann: BenchReplica, bob: BenchReplica, rows: number): Promise<number> {
  const all = words(rows);
  withApp(ann.database, (database) => {
    insertWords(database, all);
  });
  const started = performance.now();
  await bob.pullRows('ann', rows);
  const elapsedMs = performance.now() - started;
  requireAllEqual([ann, bob]);
  return elapsedMs;
}
