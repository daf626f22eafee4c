import { copyFileSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Database } from 'better-sqlite3';
import bytes from 'bytes';
import { verifyCopy } from '../backup/verify.js';
import { backUp, backupFileFor } from '../database/backup.js';
import { isMigrated } from '../database/migrate.js';
import { isBusy, openFile, sqliteCodeOf } from '../database/open.js';
import { readTables } from '../database/table.js';
import { SyncError } from '../errors.js';
import { freeBytesOf } from '../replica/disk.js';
import { requireSameViews, requireSound, viewCounts } from './checks.js';
import type { Conversion, ConversionWish } from './conversion.js';
import { planConversion } from './plan.js';
import { convert, openForConversion } from './run.js';
import { dropScripts, scriptLines, writeScripts, type Scripts } from './scripts.js';

export interface ConvertOptions extends ConversionWish {
  /** Absolute. */
  readonly database: string;
  /** Where the SQL is put. */
  readonly out: string;
  readonly dryRun: boolean;
  readonly busyTimeoutMs: number;
  /** What is done now, for a person. */
  readonly onStep: (what: string) => void;
  /** How far that is: pages of a copy, or statements. */
  readonly onProgress: (done: number, total: number) => void;
}

export interface Converted {
  /** Each table that was made anew, with the columns that hold new keys, and its rows. */
  readonly tables: readonly { name: string; columns: readonly string[]; rows: number }[];
  /** The SQL of the way there, one statement after the other. */
  readonly sql: string;
  /** Null with `dryRun`. */
  readonly backup: string | null;
  readonly scripts: Scripts | null;
}

/** The backup, the copy that is tried first, and what SQLite keeps of the changed pages. */
const COPIES = 3;

/**
 * Turns integer keys into UUIDs. The write lock is held from the first look to the end, so nothing that is written
 * meanwhile can be missed: whoever tries waits, or is told that the database is locked. A backup is made, the whole is
 * tried and checked on a copy of that, then done and checked once more in the database itself, in one transaction: a
 * crash at any moment leaves the old content or the new. The file stays the same one, so that a program which has it open
 * goes on with the new content rather than with a file that is gone.
 */
export async function convertIds(options: ConvertOptions): Promise<Converted> {
  const { database: file, busyTimeoutMs } = options;
  const database = openForConversion(file, busyTimeoutMs);
  try {
    requireNotMigrated(database);
    await requireRoom(file);
    database.exec('BEGIN IMMEDIATE');
    const conversion = planConversion(database, options);
    return await (options.dryRun ? dryRun(conversion, options) : carryOut(database, conversion, options));
  } catch (error) {
    if (isBusy(error)) throw inUse(file, error);
    throw isFull(error) ? noRoom(file, error) : error;
  } finally {
    // What was not committed is taken back.
    database.close();
  }
}

async function carryOut(
  database: Database,
  conversion: Conversion,
  options: ConvertOptions,
): Promise<Converted> {
  const backup = backupFileFor(options.database, options.nowMs, 'convert-ids');
  let scripts: Scripts | null = null;
  try {
    options.onStep(`backing up to ${backup}`);
    await backUpBeside(options, backup);
    rehearse(conversion, backup, options);
    options.onStep('converting');
    convert(database, conversion, options.onProgress);
    const tables = reportOf(database, conversion);
    scripts = writeScripts(database, conversion, { ...options, folder: options.out });
    for (const sql of conversion.forward.end) database.exec(sql);
    database.exec('COMMIT');
    return { tables, sql: sqlOf(conversion), backup, scripts };
  } catch (error) {
    if (scripts !== null) dropScripts(scripts);
    removeDatabase(backup);
    throw error;
  }
}

async function dryRun(conversion: Conversion, options: ConvertOptions): Promise<Converted> {
  const copy = `${options.database}.dry-run-${process.pid}`;
  try {
    options.onStep('copying the database');
    await backUpBeside(options, copy);
    return {
      tables: rehearse(conversion, copy, options),
      sql: sqlOf(conversion),
      backup: null,
      scripts: null,
    };
  } finally {
    removeDatabase(copy);
  }
}

/** On a connection of its own: one that writes can't be copied from. */
async function backUpBeside(
  { database: file, busyTimeoutMs, onProgress }: ConvertOptions,
  copy: string,
): Promise<void> {
  const reader = openFile(file, { readonly: true, busyTimeoutMs });
  try {
    await backUp(reader, copy, { onProgress, check: (made) => void verifyCopy(made, {}) });
  } finally {
    reader.close();
  }
}

/** Tries it on a copy of that file, and looks at everything there. */
function rehearse(
  conversion: Conversion,
  source: string,
  { database: file, onStep, onProgress }: ConvertOptions,
): Converted['tables'] {
  const copy = `${file}.converting`;
  onStep('trying it on a copy');
  removeDatabase(copy);
  copyFileSync(source, copy);
  const database = openForConversion(copy, 0);
  try {
    database.pragma('synchronous = OFF');
    const views = readTables(database).filter(({ kind }) => kind === 'view');
    const counts = viewCounts(
      database,
      views.map(({ name }) => name),
    );
    database.exec('BEGIN IMMEDIATE');
    convert(database, conversion, onProgress);
    const tables = reportOf(database, conversion);
    for (const sql of conversion.forward.end) database.exec(sql);
    database.exec('COMMIT');
    onStep('checking the copy');
    requireSameViews(database, counts);
    requireSound(database);
    return tables;
  } finally {
    database.close();
    removeDatabase(copy);
  }
}

function reportOf(database: Database, { rebuilt }: Conversion): Converted['tables'] {
  return rebuilt.map(({ table, keys }) => {
    const rows = viewCounts(database, [table.name]).get(table.name) ?? 0;
    return { name: table.name, columns: [...keys.keys()], rows };
  });
}

function sqlOf({ forward }: Conversion): string {
  return [...scriptLines(forward, () => [])].join('\n');
}

function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true });
}

function requireNotMigrated(database: Database): void {
  if (!isMigrated(database)) return;
  throw new SyncError(
    'already_migrated',
    `${database.name} is a replica already: its changelog knows rows by their old keys`,
    {
      hint: 'Run migrate --down --purge with the daemon stopped, then convert-ids, init, migrate and backfill.',
    },
  );
}

async function requireRoom(file: string): Promise<void> {
  const size = statSync(file).size;
  const freeBytes = await freeBytesOf(dirname(file));
  if (freeBytes >= size * COPIES) return;
  const text = (count: number): string => bytes.format(count, { unitSeparator: ' ' }) ?? `${count} bytes`;
  throw new SyncError(
    'backup_no_room',
    `converting needs ${text(size * COPIES)} beside the database, ${text(freeBytes)} are free there`,
    { hint: 'Make room on that disk; nothing was written.' },
  );
}

/** By SQLite, or by the system while the copy is made. */
function isFull(error: unknown): boolean {
  return sqliteCodeOf(error) === 'SQLITE_FULL' || (error as NodeJS.ErrnoException).code === 'ENOSPC';
}

function noRoom(file: string, cause: unknown): SyncError {
  return new SyncError('disk_full', `the disk was full before ${file} was converted`, {
    hint: 'Make room on that disk: new keys are longer than the old ones. Nothing was changed.',
    cause,
  });
}

function inUse(file: string, cause: unknown): SyncError {
  return new SyncError('database_busy', `another program holds ${file}`, {
    hint: 'Close your application and run this again; nothing was changed.',
    cause,
  });
}
