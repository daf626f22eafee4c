import { realpathSync, statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';

export type CheckpointMode = 'PASSIVE' | 'RESTART' | 'TRUNCATE';

/** What `PRAGMA wal_checkpoint` returns. */
export interface WalState {
  /** Another program kept it from being complete. */
  readonly busy: 0 | 1;
  /** Pages in the WAL; -1 where it did not look, or in another journal mode. */
  readonly log: number;
  /** How many of them are in the database file; -1 as above. */
  readonly checkpointed: number;
}

/** The write-ahead log of a database file: SQLite names it after the file itself, not after a link to it. */
export function walFileOf(path: string): string {
  return `${realPathOf(path)}-wal`;
}

/** Its size in bytes; 0 where there is none. */
export function walBytesOf(path: string): number {
  return statSync(walFileOf(path), { throwIfNoEntry: false })?.size ?? 0;
}

/** https://sqlite.org/pragma.html#pragma_wal_checkpoint; NOOP looks only. */
export function checkpointWal(database: Database, mode: CheckpointMode | 'NOOP'): WalState {
  const [state] = database.pragma(`wal_checkpoint(${mode})`) as [WalState];
  return state;
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return path;
    throw error;
  }
}
