import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { fileIdOf } from '../database/file-id.js';
import { SyncError, messageOf } from '../errors.js';
import { readReplica } from './changelog.js';
import { newestMarkOf } from './marks.js';

/*
 * A small file beside the database remembers where this instance last stood. A database file that was restored, copied
 * or put in the place of another does not agree with it.
 */

const lastMark = z.object({
  epoch: z.string(),
  log_id: z.number().int().nonnegative(),
  mark: z.string(),
  file: z.string(),
});

/** Where an instance stood: the newest mark of its log, and the file (`fileIdOf`) that held it. */
export type LastMark = Readonly<z.infer<typeof lastMark>>;

/** The path of that file. */
export function markFileOf(databasePath: string): string {
  return `${databasePath}-sync-mark`;
}

/** Null where there is none, or it can't be understood. */
export function readMarkFile(databasePath: string): LastMark | null {
  let text: string;
  try {
    text = readFileSync(markFileOf(databasePath), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return lastMark.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    // Cut short by a power failure: as good as none.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Where the instance of this database stands now. */
export function lastMarkOf(database: Database): LastMark {
  const { logId, mark } = newestMarkOf(database);
  return { epoch: readReplica(database).epoch, log_id: logId, mark, file: fileIdOf(database.name) };
}

/** Remembers where the instance stands. Call after a commit. Throws `mark_file`. */
export function keepMark(database: Database): void {
  writeMarkFile(database.name, lastMarkOf(database));
}

/** Throws `mark_file` where it can't be written. */
export function writeMarkFile(databasePath: string, last: LastMark): void {
  const path = markFileOf(databasePath);
  const unfinished = `${path}.${process.pid}.unfinished`;
  try {
    // Renamed into place: a reader finds the old or the new one, whole.
    writeFileSync(unfinished, `${JSON.stringify(last)}\n`);
    renameSync(unfinished, path);
  } catch (cause) {
    throw new SyncError('mark_file', `${path} can't be written: ${messageOf(cause)}.`, {
      hint: 'Make room, or correct the permissions of that folder; without it a restored backup would go unnoticed.',
      cause,
    });
  }
}

/** Forgets it: the database is no replica any more. */
export function dropMarkFile(databasePath: string): void {
  rmSync(markFileOf(databasePath), { force: true });
}
