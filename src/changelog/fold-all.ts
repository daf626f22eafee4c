import { setTimeout as pause } from 'node:timers/promises';
import type { Transactions } from '../database/transactions.js';
import type { Changelog } from './changelog.js';
import { foldBatch } from './fold.js';
import type { FoldClock } from './next-version.js';

/** Raw entries that one transaction folds at most. */
const FOLD_BATCH = 10_000;

/** Left to the application between two of our transactions, so that it gets its turn at the write lock. */
const TURN_MS = 2;

/** Folds until the log is read, then runs `work` in the transaction of the last batch. */
export async function afterFold<T>(
  changelog: Changelog,
  transactions: Transactions,
  clock: () => FoldClock,
  work: () => T,
): Promise<T> {
  for (;;) {
    const outcome = await transactions.run(() => {
      const { more } = foldBatch(changelog, { limit: FOLD_BATCH, ...clock() });
      return more ? null : { result: work() };
    });
    if (outcome !== null) return outcome.result;
    await pause(TURN_MS);
  }
}
