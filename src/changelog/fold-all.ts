import type { Changelog } from './changelog.js';
import { foldBatch } from './fold.js';
import type { FoldClock } from './next-version.js';

/** Raw entries that one transaction folds at most. */
const FOLD_BATCH = 10_000;

/** How folding gets at the database. */
export interface Folding {
  /** Runs work in a write transaction of its own. */
  readonly run: <T>(work: () => T) => Promise<T>;
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
  { run, changelog, clock }: Folding,
  work: () => T,
): Promise<{ folded: Folded; result: T }> {
  const folded = { entries: 0, versions: 0, keyless: [] as string[] };
  for (;;) {
    const { batch, outcome } = await run(() => {
      const batch = foldBatch(changelog(), { limit: FOLD_BATCH, ...clock() });
      return { batch, outcome: batch.more ? null : { result: work() } };
    });
    folded.entries += batch.entries;
    folded.versions += batch.versions;
    folded.keyless.push(...batch.keyless.filter((name) => !folded.keyless.includes(name)));
    if (outcome !== null) return { folded, result: outcome.result };
  }
}
