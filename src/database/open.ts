import { existsSync, statSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import type { Config } from '../config/config.js';
import { SyncError, messageOf } from '../errors.js';

/** How long one attempt waits for a lock before it gives way; callers retry without holding their thread. */
export const LOCK_ATTEMPT_MS = 100;

export interface OpenOptions {
  readonly readonly: boolean;
  /** How long a statement waits for a lock, ms. */
  readonly busyTimeoutMs: number;
}

/** Opens an existing SQLite file as it is; throws `database_missing`, `not_a_database`, `database_busy` or `database_unusable`. */
export function openFile(path: string, options: OpenOptions): Database {
  if (existsSync(path) && !statSync(path).isFile()) {
    throw new SyncError('not_a_database', `${path} is a folder, not a database file.`, {
      hint: 'Correct database.path: it names the file itself.',
    });
  }
  if (!existsSync(path)) {
    throw new SyncError('database_missing', `There is no database file at ${path}.`, {
      hint: 'Correct database.path, or let your application create its database first.',
    });
  }
  let database: Database | undefined;
  try {
    database = new BetterSqlite3(path, {
      readonly: options.readonly,
      fileMustExist: true,
      timeout: options.busyTimeoutMs,
    });
    // Reads the header: a file that is no database fails here, not in the middle of a command.
    database.pragma('schema_version');
    return database;
  } catch (cause) {
    database?.close();
    throw openFault(path, cause);
  }
}

function openFault(path: string, cause: unknown): SyncError {
  const code = sqliteCodeOf(cause) ?? '';
  if (code === 'SQLITE_NOTADB') {
    return new SyncError('not_a_database', `${path} is not a SQLite database, or it is encrypted.`, {
      hint: 'Correct database.path.',
      cause,
    });
  }
  if (code.startsWith('SQLITE_CORRUPT')) {
    return new SyncError('database_corrupt', `${path} is damaged: ${messageOf(cause)}.`, {
      hint: 'Check it with PRAGMA integrity_check, and restore a backup or use sqlite3 FILE .recover.',
      cause,
    });
  }
  if (isBusy(cause)) {
    return new SyncError('database_busy', `${path} is locked by another program.`, {
      hint: 'Find the program that leaves a transaction open, or wait until it is done, and run this again.',
      cause,
    });
  }
  return new SyncError('database_unusable', `${path} can't be opened: ${messageOf(cause)}.`, {
    hint: 'Check the permissions of the file and of its folder (SQLite writes files beside it).',
    cause,
  });
}

/** The connection that writes: pragmas as configured, foreign keys off (dangling references are reported, not enforced). */
export function openForWriting(config: Config, busyTimeoutMs = LOCK_ATTEMPT_MS): Database {
  const database = openFile(config.database.path, { readonly: false, busyTimeoutMs });
  try {
    database.pragma('foreign_keys = OFF');
    database.pragma('recursive_triggers = OFF');
    database.pragma(`synchronous = ${config.database.synchronous}`);
    database.pragma(`wal_autocheckpoint = ${config.database.walAutocheckpointPages}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** A connection that can't write. */
export function openForReading(config: Config): Database {
  return openFile(config.database.path, { readonly: true, busyTimeoutMs: config.database.busyTimeoutMs });
}

/** The extended result code name of an error of SQLite's, e.g. `SQLITE_BUSY`; undefined for any other error. */
export function sqliteCodeOf(error: unknown): string | undefined {
  return error instanceof BetterSqlite3.SqliteError ? error.code : undefined;
}

/** What the machine or the file keeps from being done, as a SyncError; null for any other error. */
export function environmentError(file: string, cause: unknown): SyncError | null {
  const code = sqliteCodeOf(cause) ?? '';
  const fault = ENVIRONMENT_FAULTS.find(([prefix]) => code.startsWith(prefix));
  if (fault === undefined) return null;
  const [, name, what, hint] = fault;
  return new SyncError(name, `${what} ${file}: ${messageOf(cause)}.`, { hint, cause });
}

const ENVIRONMENT_FAULTS: readonly (readonly [prefix: string, code: string, what: string, hint: string])[] = [
  ['SQLITE_FULL', 'disk_full', 'There is no room to write to', 'Make room on that disk; it is tried again.'],
  [
    'SQLITE_READONLY',
    'read_only',
    'This user may not write to',
    'Correct the permissions of the file and its folder.',
  ],
  [
    'SQLITE_IOERR',
    'disk_error',
    'The disk failed under',
    'Check the permissions of its folder; look at the system log, check the disk and the backups.',
  ],
  [
    'SQLITE_CORRUPT',
    'database_corrupt',
    'Damage was found in',
    'Run PRAGMA integrity_check; restore a backup, or use sqlite3 FILE .recover.',
  ],
];

/** Sets the journal mode; throws `journal_mode_busy` where another program keeps it as it is. */
export function setJournalMode(database: Database, mode: string): void {
  let cause: unknown;
  try {
    if (database.pragma(`journal_mode = ${mode}`, { simple: true }) === mode) return;
  } catch (error) {
    if (!isBusy(error)) throw environmentError(database.name, error) ?? error;
    cause = error;
  }
  throw new SyncError('journal_mode_busy', `The journal mode of ${database.name} can't be set to ${mode}.`, {
    hint: 'Another program has the file open: stop the replica, close your application, and run this again.',
    cause,
  });
}

export function isBusy(error: unknown): boolean {
  const code = sqliteCodeOf(error);
  return code !== undefined && (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED'));
}
