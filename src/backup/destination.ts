import { realpathSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import bytes from 'bytes';
import type { Config } from '../config/config.js';
import { sideFileOf } from '../database/backup.js';
import { messageOf, SyncError } from '../errors.js';
import { freeBytesOf } from '../replica/disk.js';

/**
 * Throws where a backup can't be put there: it is the database itself or a file that SQLite keeps beside it
 * (`backup_onto_database`), or another program seems to have it open (`backup_in_use`), whose write-ahead log would be
 * taken for the new file's.
 */
export function requireApart(config: Config, file: string): void {
  const own = realPathOf(config.database.path);
  const target = realPathOf(file);
  if (target === own || (dirname(target) === dirname(own) && isSideFile(basename(own), basename(target)))) {
    throw new SyncError('backup_onto_database', `${file} belongs to the database itself`, {
      hint: 'Name another file; nothing was changed.',
      exitCode: 2,
    });
  }
  const beside = sideFileOf(file);
  if (beside === null) return;
  throw new SyncError('backup_in_use', `${beside} exists: a program has ${file} open, or left that behind`, {
    hint: 'Close it, or name another file.',
  });
}

/** Our own files beside it among them. */
function isSideFile(database: string, name: string): boolean {
  return name.startsWith(`${database}-`);
}

/** Of a file that need not be there yet. */
function realPathOf(file: string): string {
  try {
    return realpathSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  try {
    return join(realpathSync(dirname(file)), basename(file));
  } catch (cause) {
    throw noFolder(file, cause);
  }
}

function noFolder(file: string, cause: unknown): SyncError {
  return new SyncError('backup_failed', `${dirname(file)} can't be used: ${messageOf(cause)}`, {
    hint: 'Name a file in a folder that exists.',
    cause,
  });
}

/**
 * Rejects with `backup_no_room` where the disk of that folder is too full for the copy. On the database's own disk
 * `database.low_disk` has to stay free as well: below it nothing would be applied.
 */
export async function requireRoom(config: Config, file: string, neededBytes: number): Promise<void> {
  const folder = dirname(file);
  const { path, lowDiskBytes } = config.database;
  const isSameDisk = (await stat(folder)).dev === statSync(path).dev;
  const freeBytes = await freeBytesOf(folder);
  if (freeBytes >= neededBytes + (isSameDisk ? lowDiskBytes : 0)) return;
  const kept = isSameDisk ? `, and ${sizeOf(lowDiskBytes)} have to stay free (database.low_disk)` : '';
  throw new SyncError(
    'backup_no_room',
    `the backup needs ${sizeOf(neededBytes)}, the disk of ${folder} has ${sizeOf(freeBytes)} left${kept}`,
    { hint: 'Make room there, or name a folder on another disk; nothing was written.' },
  );
}

function sizeOf(count: number): string {
  return bytes.format(count, { unitSeparator: ' ' }) ?? `${count} bytes`;
}
