import type { Changelog } from '../changelog/changelog.js';
import { statement } from '../sql/template.js';
import { dueAfter, heldAfter, type Held } from './held-list.js';
import type { ApplyClock } from './local.js';
import { isAnythingHeld } from './quarantine.js';
import { RetryLost, retryClashing, retryHeld, type Retried } from './retry-held.js';

/** Held changes that one transaction tries again. */
const BATCH = 100;

/** How `retryAll` gets at the database. */
export interface Retrying {
  /** The changelog as the schema is now. */
  readonly changelog: () => Changelog;
  /** Folds what is not folded yet, then runs the work in the same write transaction. */
  readonly inWrite: <T>(work: () => T) => Promise<T>;
  readonly clock: () => ApplyClock;
}

/** Tries everything in quarantine again, in bounded transactions; `onTried` is told after each how many in all. */
export async function retryAll(retrying: Retrying, onTried?: (changes: number) => void): Promise<Retried[]> {
  if (!isAnythingHeld(retrying.changelog())) return [];
  const results: Retried[] = [];
  for (let after = 0; ;) {
    const batch = heldAfter(retrying.changelog().database, after, BATCH);
    const last = batch.at(-1);
    if (last === undefined) break;
    results.push(...(await retryBatch(retrying, batch, false)));
    onTried?.(results.length);
    after = last.id;
  }
  const isHeld = ({ reason }: Retried): boolean => reason !== null;
  if (!results.some(isHeld)) return results;
  const clashing = await retrying.inWrite(() => retryClashing(retrying.changelog(), retrying.clock()));
  return clashing === 0 ? results : results.map((result) => afterwards(retrying, result));
}

/** Tries again what was stamped too far ahead when it came, once its time has come. Returns how many were applied. */
export async function retryDue(retrying: Retrying): Promise<number> {
  const { nowMs } = retrying.clock();
  const { found } = retrying.changelog().prepare(statement('quarantine/any-due')).get({ nowMs }) as {
    found: number;
  };
  let applied = 0;
  for (let after: number | undefined = found === 1 ? 0 : undefined; after !== undefined;) {
    const batch = dueAfter(retrying.changelog().database, nowMs, after, BATCH);
    const results = await retryBatch(retrying, batch, false);
    applied += results.filter(({ reason }) => reason === null).length;
    after = batch.at(-1)?.id;
  }
  return applied;
}

/**
 * Tries a batch again, with `deliberate` also what only a person may apply; a change that makes an app's trigger take
 * the whole transaction back is left out.
 */
export async function retryBatch(
  retrying: Retrying,
  batch: readonly Held[],
  deliberate: boolean,
): Promise<Retried[]> {
  const lost: Retried[] = [];
  for (;;) {
    const left = batch.filter(({ id }) => !lost.some(({ held }) => held.id === id));
    try {
      const work = () => retryHeld(retrying.changelog(), left, retrying.clock(), deliberate);
      return [...(await retrying.inWrite(work)), ...lost];
    } catch (error) {
      const held = error instanceof RetryLost ? left.find(({ id }) => id === error.id) : undefined;
      if (held === undefined) throw error;
      lost.push({ held, reason: held.reason });
    }
  }
}

function afterwards({ changelog }: Retrying, { held, reason }: Retried): Retried {
  const [now] = heldAfter(changelog().database, held.id - 1, 1);
  return { held, reason: now?.id === held.id ? reason : null };
}
