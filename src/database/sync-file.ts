import { closeSync, fsyncSync, openSync } from 'node:fs';

/**
 * Waits until the disk has what was written to a file. Not for a database file that this process has open: closing it here
 * would drop SQLite's locks on it, which are on that file and on `-shm`.
 */
export function syncFile(path: string): void {
  const handle = openSync(path, 'r+');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
