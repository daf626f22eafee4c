import { existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { Database } from 'better-sqlite3';
import { SyncError, messageOf } from '../errors.js';

/** Copies the whole database in one step: other connections that write make a stepwise copy start over. */
const ALL_PAGES = 0x7fffffff;

/** Writes a consistent copy, byte for byte, what is in the write-ahead log included. Refuses to overwrite. */
export async function backUp(database: Database, file: string): Promise<void> {
  if (existsSync(file)) {
    throw new SyncError('backup_exists', `There is a file at ${file} already.`, {
      hint: 'Name another one.',
    });
  }
  // A copy that was cut short must not look like a backup.
  const unfinished = `${file}.unfinished`;
  try {
    await rm(unfinished, { force: true });
    await database.backup(unfinished, { progress: () => ALL_PAGES });
    await sync(unfinished);
    await rename(unfinished, file);
  } catch (cause) {
    throw new SyncError('backup_failed', `The backup to ${file} failed: ${messageOf(cause)}.`, {
      hint: 'Check the free space and the permissions of that folder; nothing was changed.',
      cause,
    });
  }
}

/** Waits until a file is on the disk. */
async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Where `migrate` puts its backup: beside the database, named by the time in UTC. */
export function backupFileFor(database: string, nowMs: number): string {
  const time = new Date(nowMs).toISOString().replace(/[-:]/g, '').replace('.', '-');
  return `${database}.before-migrate-${time}`;
}
