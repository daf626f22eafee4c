import type { Changelog } from './changelog.js';
import { foldBatch } from './fold.js';
import type { FoldClock } from './next-version.js';

/** Raw entries that one transaction folds at least, and at most: many at once lie better in the log, sorted by key. */
const LEAST_BATCH = 1_000;
const LARGEST_BATCH = 100_000;

/** How many are taken to fold in a ms, before that is known. */
const FOLDED_PER_MS = 100;

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
  for (let perMs = FOLDED_PER_MS; ;) {
    const { batch, tookMs, outcome } = await run(() => {
      const startedMs = performance.now();
      const batch = foldBatch(changelog(), { limit: batchLimit(perMs, boxMs()), ...clock() });
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

function batchLimit(perMs: number, boxMs: number): number {
  return Math.min(LARGEST_BATCH, Math.max(LEAST_BATCH, Math.floor(perMs * boxMs)));
}
