import type { Changelog } from './changelog.js';
import { foldBatch } from './fold.js';
import type { FoldClock } from './next-version.js';

/** Raw entries that one transaction folds at most; the first ones fewer, since somebody may wait for them. */
const FOLD_BATCH = 10_000;
const FIRST_BATCH = 2_000;
/** About so many are folded in a ms, beyond what any batch takes. */
const ENTRIES_A_MS = 50;
/** No batch has fewer: a rest after each would take longer than they. */
const LEAST_BATCH = 100;

/** How folding gets at the database. */
export interface Folding {
  /** Runs work in a write transaction of its own; `isPressed`: the one before left some of the log. */
  readonly run: <T>(work: () => T, isPressed: boolean) => Promise<T>;
  /** The changelog as the schema is now. */
  readonly changelog: () => Changelog;
  readonly clock: () => FoldClock;
  /** How long the transaction that is open may hold the lock. */
  readonly boxMs: () => number;
  /** Told of each batch once it is committed. */
  readonly onBatch?: ((batch: FoldTally) => void) | undefined;
}

/** How much was folded. */
export interface FoldTally {
  /** Raw entries read. */
  readonly entries: number;
  /** Versions made. */
  readonly versions: number;
}

/** What was folded, over all batches. */
export interface Folded extends FoldTally {
  /** Tables in which rows with NULL in their key were written and left out. */
  readonly keyless: readonly string[];
}

/** Folds until the log is read, batch by batch, then runs `work` in the transaction of the last one. */
export async function afterFold<T>(
  { run, changelog, clock, boxMs, onBatch }: Folding,
  work: () => T,
): Promise<{ folded: Folded; result: T }> {
  const folded = { entries: 0, versions: 0, keyless: [] as string[] };
  for (let most = FIRST_BATCH, isPressed = false; ; isPressed = true, most = Math.min(FOLD_BATCH, most * 2)) {
    const { batch, outcome } = await run(() => {
      const fitting = Math.floor(boxMs() * ENTRIES_A_MS);
      const limit = Math.min(most, Math.max(LEAST_BATCH, fitting));
      const batch = foldBatch(changelog(), { limit, ...clock() });
      return { batch, outcome: batch.more ? null : { result: work() } };
    }, isPressed);
    onBatch?.(batch);
    folded.entries += batch.entries;
    folded.versions += batch.versions;
    folded.keyless.push(...batch.keyless.filter((name) => !folded.keyless.includes(name)));
    if (outcome !== null) return { folded, result: outcome.result };
  }
}
