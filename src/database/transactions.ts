import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import { environmentError, isBusy } from './open.js';
import { SyncError } from '../errors.js';

/** Between two attempts to get the write lock. */
const LOCK_PAUSE_MS = 20;

/**
 * Runs work in write transactions without holding the thread while another process has the write lock: short attempts
 * with pauses between them, up to `busyTimeoutMs`. `stop()` makes waiting attempts give up.
 */
export class Transactions {
  private stopping = false;

  constructor(
    private readonly database: Database,
    private readonly busyTimeoutMs: number,
    private readonly afterRollback: () => void,
  ) {}

  stop(): void {
    this.stopping = true;
  }

  async run<T>(work: () => T): Promise<T> {
    const deadline = performance.now() + this.busyTimeoutMs;
    for (;;) {
      if (this.stopping) throw new SyncError('stopping', 'The replica is stopping.');
      try {
        return this.database.transaction(work).immediate();
      } catch (error) {
        this.afterRollback();
        if (!isBusy(error)) throw environmentError(this.database.name, error) ?? error;
        if (performance.now() >= deadline) throw busyError(this.database.name, error);
      }
      await pause(LOCK_PAUSE_MS);
    }
  }
}

function busyError(file: string, cause: unknown): SyncError {
  return new SyncError('database_busy', `Another program holds the write lock of ${file}.`, {
    hint: 'It is tried again; if this stays, look for a program that leaves a transaction open.',
    cause,
  });
}
