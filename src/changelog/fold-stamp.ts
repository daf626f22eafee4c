import type { Database } from 'better-sqlite3';
import type { TimestampFormat } from '../config/config.js';
import { nextStamp } from '../clock/stamp.js';
import { parseTimestamp } from '../clock/timestamp.js';

/** The time of what `backfill` enters: a row from before, not one that was written just now. */
export const BACKFILLED = 0;

/** Registers the stamp of a new version of a row that is there as an SQL function. */
export function registerStamp(database: Database): void {
  const stamp = (
    format: TimestampFormat,
    said: unknown,
    writtenMs: number | null,
    replacedMs: number | null,
    nowMs: number,
    maxSkewMs: number,
  ) => nextStamp({ claimedMs: claimedMs(format, said, writtenMs), replacedMs, nowMs, maxSkewMs });
  database.function('sync_stamp', stamp as (...values: unknown[]) => unknown);
}

/** When a row came to be as it is now, ms: what it says itself, else what the trigger saw; null where nothing says. */
export function claimedMs(format: TimestampFormat, said: unknown, writtenMs: number | null): number | null {
  return parseTimestamp(said, format) ?? writtenMs;
}
