import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import { SyncError, messageOf } from '../errors.js';
import { statement } from '../sql/template.js';

/** Pages copied at a time: between two such steps a progress bar moves, and a signal is heard. */
const STEP_PAGES = 2_000;

/** What SQLite may leave beside a file. */
const SIDE_FILES = ['-wal', '-shm', '-journal'];

export interface CopyOptions {
  /** A file that is there is replaced. */
  readonly overwrite?: boolean;
  /** Pages copied, of all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Gives up when aborted, and rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Asks the source, within the transaction that the copy is of. */
  readonly look?: (source: Database) => void;
  /** Looks at the copy before it gets its name; what it throws keeps it from that. */
  readonly check?: (copy: string) => void;
}

/**
 * Writes a consistent copy, byte for byte, what is in the write-ahead log included. It is of one moment: the one at which
 * a read transaction begins that is held meanwhile, since a copy in steps would else start over whenever another program
 * commits. With a write-ahead log nobody waits for it; without one, who commits does. The file appears whole, on the disk,
 * or not at all. Rejects with `backup_exists`, `backup_failed`, or what `check` throws. Not within a transaction.
 */
export async function backUp(database: Database, file: string, options: CopyOptions = {}): Promise<void> {
  if (options.overwrite !== true && existsSync(file)) {
    throw new SyncError('backup_exists', `There is a file at ${file} already.`, {
      hint: 'Name another one.',
    });
  }
  // A copy that was cut short must not look like a backup.
  const unfinished = `${file}.${process.pid}.unfinished`;
  try {
    await removeDatabase(unfinished);
    await copy(database, unfinished, options);
    options.check?.(unfinished);
    await sync(unfinished);
    // A signal that came during all this is heard only now.
    await nextTurn();
    options.signal?.throwIfAborted();
    await rename(unfinished, file);
    // Windows can't be asked for that.
    if (process.platform !== 'win32') await sync(dirname(file));
  } catch (cause) {
    await removeDatabase(unfinished);
    if (cause instanceof SyncError) throw cause;
    throw new SyncError('backup_failed', `The backup to ${file} failed: ${messageOf(cause)}.`, {
      hint: 'Check the free space and the permissions of that folder; nothing was changed.',
      cause,
    });
  }
}

async function copy(
  database: Database,
  file: string,
  { onProgress, signal, look }: CopyOptions,
): Promise<void> {
  // Nobody reads it who may not read the database.
  closeSync(openSync(file, 'wx', statSync(database.name).mode & 0o777));
  database.exec('BEGIN');
  try {
    database.prepare(statement('backup/begin-reading')).get();
    look?.(database);
    const { totalPages: all } = await database.backup(file, {
      progress({ totalPages, remainingPages }) {
        signal?.throwIfAborted();
        onProgress?.(totalPages - remainingPages, totalPages);
        return STEP_PAGES;
      },
    });
    onProgress?.(all, all);
  } finally {
    database.exec('COMMIT');
  }
}

async function removeDatabase(file: string): Promise<void> {
  for (const suffix of ['', ...SIDE_FILES]) await rm(file + suffix, { force: true });
}

/** Which of SQLite's own files stands beside this one: another program has it open, or was killed; null where none does. */
export function sideFileOf(file: string): string | null {
  return SIDE_FILES.map((suffix) => file + suffix).find((path) => existsSync(path)) ?? null;
}

/** Waits until a file, or what a folder lists, is on the disk. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Where a command puts its backup: beside the database, named by the time in UTC. */
export function backupFileFor(database: string, nowMs: number, command = 'migrate'): string {
  return `${database}.before-${command}-${fileTime(nowMs)}`;
}

/** A moment in UTC as it may stand in the name of a file. */
export function fileTime(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]/g, '').replace('.', '-');
}
