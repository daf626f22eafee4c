import { recordColumns, recordColumnsOf, rowMatches } from '../database/record-columns.js';
import type { ReplicatedTable } from '../database/replicable.js';
import type { Transactions } from '../database/transactions.js';
import { identifier, joinSql, literal, template } from '../sql/template.js';
import type { Changelog } from './changelog.js';
import { differenceOf } from './evictions.js';
import { afterFold, type Folding } from './fold-all.js';
import { logStretches, type LogStretch } from './log-stretches.js';
import { headOf } from './marks.js';

/** How often the log is read through before it is left for the next time, where the app writes all the while. */
const MOST_PASSES = 3;

export interface LookOptions {
  /** Rows, or entries of the log, that one transaction reads at most. */
  readonly batchRows: number;
  readonly maxSkewMs: number;
  readonly now: () => number;
  /** Told of each batch that is folded, once it is committed. */
  readonly onBatch?: Folding['onBatch'];
}

/**
 * What the count of rows says once the log was read through. `adds up`: no version lacks its row. `unexplained`: it does
 * not, though nobody has written meanwhile, so that no row can have vanished behind what was read. `unfinished`: some
 * may have, again and again.
 */
export type Looked = 'adds up' | 'unexplained' | 'unfinished';

export interface VanishedOptions extends LookOptions {
  /** When the rows are taken to have gone, ms. */
  readonly at: number;
  /** How many rows more than live versions there should be, where it was so many when that was last known. */
  readonly expected: (known: number) => number;
  /** Runs in the transaction that has counted, where every entry is folded; `difference` is how many rows more there are. */
  readonly end: (looked: Looked, difference: number) => void;
}

/** Enters versions whose rows went unseen; how many versions were made. */
export async function backfillVanished(
  changelog: Changelog,
  transactions: Transactions,
  table: ReplicatedTable,
  options: VanishedOptions,
): Promise<number> {
  let versions = 0;
  for (let pass = 1; ; pass += 1) {
    const head = headOf(changelog.database);
    versions += await readThrough(changelog, transactions, table, { ...options, head });
    // An eviction behind what was read comes with an entry of the row that evicts: folded, and counted, here.
    const { folded, result: isOver } = await afterFold(folding(changelog, transactions, options), () => {
      const { now, known } = differenceOf(changelog, table);
      const quiet = headOf(changelog.database) === head;
      const looked = now === options.expected(known) ? 'adds up' : quiet ? 'unexplained' : 'unfinished';
      if (looked === 'unfinished' && pass < MOST_PASSES) return false;
      options.end(looked, now);
      return true;
    });
    versions += folded.versions;
    if (isOver) return versions;
  }
}

/** Reads the log up to `head` by stretches; how many versions were made. */
async function readThrough(
  changelog: Changelog,
  transactions: Transactions,
  table: ReplicatedTable,
  options: VanishedOptions & { readonly head: number },
): Promise<number> {
  const { head } = options;
  let versions = 0;
  for (const stretch of logStretches(() => changelog, head, options.batchRows)) {
    const bound = { ...stretch, at: options.at };
    const found = await transactions.run(() => appendVanished(changelog, table, bound));
    if (found > 0) versions += await foldAll(changelog, transactions, options);
  }
  return versions;
}

/** Enters the versions of one stretch of the log whose rows went unseen; how many. Call in a write transaction. */
export function appendVanished(
  changelog: Changelog,
  table: ReplicatedTable,
  stretch: LogStretch & { readonly at: number },
): number {
  const sql = template('backfill/append-vanished', {
    recordColumns: joinSql(recordColumns(table.key.length), ', '),
    entryColumns: recordColumnsOf(table, 'c'),
    tableName: literal(table.name),
    table: identifier(table.name),
    rowMatches: rowMatches(table, 'w', 'c'),
  });
  return changelog.prepare(sql).run(stretch).changes;
}

/** Folds what was entered; the versions made. */
export async function foldAll(
  changelog: Changelog,
  transactions: Transactions,
  options: LookOptions,
): Promise<number> {
  const { folded } = await afterFold(folding(changelog, transactions, options), () => null);
  return folded.versions;
}

function folding(
  changelog: Changelog,
  transactions: Transactions,
  { now, maxSkewMs, onBatch }: LookOptions,
): Folding {
  return {
    run: (work, isPressed) => transactions.run(work, isPressed),
    changelog: () => changelog,
    clock: () => ({ nowMs: now(), maxSkewMs }),
    boxMs: () => transactions.boxMs,
    onBatch,
  };
}
