import type { Database } from 'better-sqlite3';
import { newMark } from '../database/migrate.js';
import { SyncError } from '../errors.js';
import { statement } from '../sql/template.js';
import { formatCursor, parseCursor, type Cursor } from '../wire/cursor.js';

/** Marks below the newest this many log ids are dropped, but for those that a peer's acknowledgement rests on. */
const MARKED_LOG_IDS = 100_000;

/** One in so many draws thins the old marks. */
const DRAWS_PER_THINNING = 64;

/** The newest log id ever given. */
export function headOf(database: Database): number {
  return database.prepare<[], { head: number }>(statement('changelog/head')).get()?.head ?? 0;
}

/** Draws a mark for the log as long as it is now. Call in the transaction that made it longer. */
export function drawMark(database: Database): void {
  const logId = headOf(database);
  const mark = newMark();
  database.prepare(statement('changelog/draw-mark')).run({ logId, mark });
  if (Number.parseInt(mark.slice(0, 4), 16) % DRAWS_PER_THINNING === 0) {
    database.prepare(statement('changelog/thin-marks')).run({ newestKept: logId - MARKED_LOG_IDS });
  }
}

/** The log id up to which everything is folded or marked: where a puller that has all of it stands. */
export function markedHeadOf(database: Database): number {
  return database.prepare<[], { log_id: number }>(statement('changelog/newest-mark')).get()?.log_id ?? 0;
}

/** The cursor that stands for everything up to `logId`. */
export function cursorAt(database: Database, epoch: string, logId: number): string {
  const sql = statement('changelog/mark-at-or-after');
  const mark = database.prepare<[{ logId: number }], { mark: string }>(sql).get({ logId })?.mark;
  if (mark === undefined) throw new TypeError(`Expected a mark at or after log id ${logId}`);
  return formatCursor({ epoch, logId, mark });
}

/** Reads a peer's cursor: a place in this log, 0 for the start. Throws `cursor_invalid` where it is of another log. */
export function placeOf(database: Database, epoch: string, text: string): number {
  if (text === '') return 0;
  const cursor = parseCursor(text);
  if (cursor?.epoch !== epoch || !isOurs(database, cursor)) {
    throw new SyncError('cursor_invalid', 'The cursor is not of this replica as it is now.', {
      hint: 'Start over without a cursor; a replica does so by itself.',
    });
  }
  return cursor.logId;
}

function isOurs(database: Database, cursor: Cursor): boolean {
  const sql = statement('changelog/mark-named');
  return database.prepare<[Pick<Cursor, 'logId' | 'mark'>]>(sql).get(cursor) !== undefined;
}
