import { existsSync, realpathSync, statSync } from 'node:fs';

/** The write-ahead log of a database file: SQLite names it after the file itself, not after a link to it. */
export function walFileOf(path: string): string {
  return `${existsSync(path) ? realpathSync(path) : path}-wal`;
}

/** Its size in bytes; 0 where there is none. */
export function walBytesOf(path: string): number {
  return statSync(walFileOf(path), { throwIfNoEntry: false })?.size ?? 0;
}
