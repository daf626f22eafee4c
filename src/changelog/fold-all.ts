import { readReplica, type Changelog } from './changelog.js';
import { foldBatch } from './fold.js';
import { headOf } from './marks.js';
import type { FoldClock } from './next-version.js';

/** Raw entries that one transaction folds at least, and at most: many at once lie better in the log, sorted by key. */
const LEAST_BATCH = 1_000;
const LARGEST_BATCH = 100_000;

/**
 * Beside a program that writes faster than we fold in short transactions, the log would grow without end: the more is
 * left, the more one takes, up to this many. That program then waits longer for its turn.
 */
const LARGEST_CATCHING_UP = 10_000;

/** How many are taken to fold in a ms, before that is known. */
const FOLDED_PER_MS = 100;

/**
 * Raw entries are dropped once their versions stand behind them: until then the file has room for both. It need not grow
 * for that beyond what the versions take, where a batch is this share of what is left to fold at most.
 */
const MOST_OF_REST = 0.38;

/** Room for so many raw entries, a quarter of a MB, is not worth a transaction more. */
const NOT_WORTH_SPLITTING = 4_000;

/** How folding gets at the database. */
export interface Folding {
  /** Runs work in a write transaction of its own. */
  readonly run: <T>(work: () => T) => Promise<T>;
  /** How long the transaction that is open may take, ms. */
  readonly boxMs: () => number;
  /** The changelog as the schema is now. */
  readonly changelog: () => Changelog;
  readonly clock: () => FoldClock;
}

/** What was folded, over all batches. */
export interface Folded {
  readonly entries: number;
  readonly versions: number;
  /** Tables in which rows with NULL in their key were written and left out. */
  readonly keyless: readonly string[];
}

/** Folds until the log is read, batch by batch, then runs `work` in the transaction of the last one. */
export async function afterFold<T>(
  { run, boxMs, changelog, clock }: Folding,
  work: () => T,
): Promise<{ folded: Folded; result: T }> {
  const folded = { entries: 0, versions: 0, keyless: [] as string[] };
  let rawUpTo = 0;
  for (let perMs = FOLDED_PER_MS; ;) {
    const { batch, tookMs, outcome } = await run(() => {
      const startedMs = performance.now();
      const { database } = changelog();
      const { folded: upTo } = readReplica(database);
      // Behind the entries that were raw at first stand the versions of those that were folded since.
      if (upTo >= rawUpTo) rawUpTo = headOf(database);
      const limit = batchLimit(perMs * boxMs(), rawUpTo - upTo);
      const batch = foldBatch(changelog(), { limit, ...clock() });
      const tookMs = performance.now() - startedMs;
      // After a long one the lock is let go of first; what came meanwhile is folded before the work then.
      const isLong = batch.entries >= LEAST_BATCH && tookMs > boxMs() / 2;
      return { batch, tookMs, outcome: batch.more || isLong ? null : { result: work() } };
    });
    if (batch.more) perMs = batch.entries / tookMs;
    folded.entries += batch.entries;
    folded.versions += batch.versions;
    folded.keyless.push(...batch.keyless.filter((name) => !folded.keyless.includes(name)));
    if (outcome !== null) return { folded, result: outcome.result };
  }
}

function batchLimit(inTime: number, rest: number): number {
  const share = rest * MOST_OF_REST;
  const wanted = Math.max(inTime, Math.min(share, LARGEST_CATCHING_UP));
  const most = Math.min(LARGEST_BATCH, Math.max(share, NOT_WORTH_SPLITTING));
  return Math.max(LEAST_BATCH, Math.floor(Math.min(wanted, most)));
}
