import type { Database } from 'better-sqlite3';
import type { TimestampFormat } from '../config/config.js';
import { nextStamp } from '../clock/stamp.js';
import { parseTimestamp } from '../clock/timestamp.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { template } from '../sql/template.js';
import type { Changelog } from './changelog.js';
import { noteLive } from './evictions.js';
import { foldHoles } from './fold-holes.js';
import type { Horizon } from './horizon.js';
import { rankAfter, type Author, type FoldClock } from './next-version.js';

/** The time of what `backfill` enters: a row from before, not one that was written just now. */
export const BACKFILLED = 0;

/** Registers the stamp of a row that has no version yet as an SQL function. */
export function registerNewStamp(database: Database): void {
  const stamp = (
    format: TimestampFormat,
    said: unknown,
    writtenMs: number | null,
    horizonMs: number | null,
    nowMs: number,
    maxSkewMs: number,
  ) =>
    nextStamp({
      claimedMs: claimedMs(format, said, writtenMs),
      replacedMs: writtenMs === BACKFILLED ? null : horizonMs,
      nowMs,
      maxSkewMs,
    });
  database.function('sync_new_stamp', stamp as (...values: unknown[]) => unknown);
}

/** When a row came to be as it is now, ms: what it says itself, else what the trigger saw; null where nothing says. */
export function claimedMs(format: TimestampFormat, said: unknown, writtenMs: number | null): number | null {
  return parseTimestamp(said, format) ?? writtenMs;
}

export interface NewRows {
  /** Raw entries after this log id, up to and with `last`. */
  readonly folded: number;
  readonly last: number;
  readonly author: Author;
  /** The author's number. */
  readonly originId: number;
  readonly horizon: Horizon | null;
}

/**
 * Enters the versions of rows that have none yet in one statement, sorted by key: a first fold is mostly that. Returns
 * how many. Rows that have gone, and those whose text has to be read byte for byte, are left.
 */
export function foldNewRows(
  changelog: Changelog,
  table: ReplicatedTable,
  { folded, last, author, originId, horizon }: NewRows,
  { nowMs, maxSkewMs }: FoldClock,
): number {
  const insert = changelog.prepareAs(`fold new ${table.name}`, () =>
    template('fold/insert-new', foldHoles(table)),
  );
  const { changes } = insert.run({
    folded,
    last,
    format: table.config.timestampFormat,
    backfilled: BACKFILLED,
    rank: rankAfter(horizon?.rank ?? 0, author),
    backfilledRank: rankAfter(0, author),
    horizonMs: horizon?.stamp ?? null,
    origin: originId,
    nowMs,
    maxSkewMs,
  });
  noteLive(changelog, table, changes);
  return changes;
}
