import type { Database } from 'better-sqlite3';
import { newMark } from '../database/migrate.js';
import { prepared } from '../database/prepared.js';
import { SyncError } from '../errors.js';
import { statement } from '../sql/template.js';
import { formatCursor, parseCursor, type Place } from '../wire/cursor.js';
import type { Claim } from '../wire/members.js';

/** Marks below the newest this many log ids are dropped, but for those that a peer's acknowledgement rests on. */
const MARKED_LOG_IDS = 100_000;

/** The newest log id ever given. */
export function headOf(database: Database): number {
  return prepared<[], { head: number }>(database, statement('changelog/head')).get()?.head ?? 0;
}

/** Draws a mark for the log as long as it is now. Call in the transaction that made it longer. */
export function drawMark(database: Database): void {
  prepared(database, statement('changelog/draw-mark')).run({ logId: headOf(database), mark: newMark() });
}

/** The log id below which marks are old now. */
export function oldMarksOf(database: Database): number {
  return headOf(database) - MARKED_LOG_IDS;
}

/** Drops the marks below a log id, but for those that a cursor rests on which a peer has. Call in a write transaction. */
export function thinMarks(database: Database, newestKept: number): void {
  prepared(database, statement('changelog/thin-marks')).run({ newestKept });
}

/** The newest mark; there is one from `migrate` on. */
export function newestMarkOf(database: Database): Place {
  const sql = statement('changelog/newest-mark');
  const newest = prepared<[], Place>(database, sql).get();
  if (newest === undefined) throw new TypeError('Expected _sync_marks to hold a mark');
  return newest;
}

/** The log id up to which everything is folded or marked: where a puller that has all of it stands. */
export function markedHeadOf(database: Database): number {
  return newestMarkOf(database).logId;
}

/** The cursor that stands for everything up to `logId`. */
export function cursorAt(database: Database, epoch: string, logId: number): string {
  const sql = statement('changelog/mark-at-or-after');
  const mark = prepared<[{ logId: number }], { mark: string }>(database, sql).get({ logId })?.mark;
  if (mark === undefined) throw new TypeError(`Expected a mark at or after log id ${logId}`);
  return formatCursor({ epoch, logId, mark });
}

/**
 * Reads a peer's cursor: a place in this log, 0 for the start. Throws `cursor_invalid` where it is of another log,
 * `log_rewound` where it is of this instance and of a log that it has no more.
 */
export function placeOf(database: Database, epoch: string, text: string): number {
  if (text === '') return 0;
  const cursor = parseCursor(text);
  if (cursor?.epoch === epoch && isOurs(database, cursor)) return cursor.logId;
  const rewound = cursor?.epoch === epoch && isRewoundFrom(database, cursor);
  throw cursorInvalid(rewound ? 'log_rewound' : 'cursor_invalid');
}

/** What a puller is told whose cursor is not of this log. */
export function cursorInvalid(code: 'cursor_invalid' | 'log_rewound' = 'cursor_invalid'): SyncError {
  return new SyncError(code, 'The cursor is not of this replica as it is now.', {
    hint: 'Start over without a cursor; a replica does so by itself.',
  });
}

/** Whether this log once had a mark that it has no more, although it is too new to have been dropped. */
export function isRewoundFrom(database: Database, place: Place): boolean {
  return place.logId >= markedHeadOf(database) - MARKED_LOG_IDS && !isOurs(database, place);
}

/** Whether a claim of our log is of one that this is not, or is no more. A mark that may have been dropped proves nothing. */
export function isDisproved(database: Database, { log_id: logId, mark }: Claim): boolean {
  return logId > 0 && isRewoundFrom(database, { logId, mark });
}

/** The log id up to which a claim of our log counts; 0 where it is disproved, or there is none. */
export function believed(database: Database, claim: Claim | undefined): number {
  return claim === undefined || isDisproved(database, claim) ? 0 : claim.log_id;
}

function isOurs(database: Database, { logId, mark }: Place): boolean {
  const sql = statement('changelog/mark-named');
  return prepared<[Place]>(database, sql).get({ logId, mark }) !== undefined;
}
