import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import { environmentError, isBusy } from './open.js';
import { SyncError } from '../errors.js';

/** After a transaction of ours the application has the write lock to itself for this share of its duration. */
const TURN_SHARE = 0.5;
const SHORTEST_TURN_MS = 1;

/** Between two attempts to get the write lock. */
const LOCK_PAUSE_MS = 20;

/**
 * Runs work in write transactions without holding the thread while another process has the write lock: short attempts
 * with pauses between them, up to `busyTimeoutMs`. After each the application has its turn. `stop()` makes waiting
 * attempts give up.
 */
export class Transactions {
  private stopping = false;
  /** The application's turn lasts until then, on the clock of `performance`. */
  private restUntilMs = 0;

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
      await this.giveTurn();
      try {
        return this.runTimed(work);
      } catch (error) {
        this.afterRollback();
        if (!isBusy(error)) throw environmentError(this.database.name, error) ?? error;
        if (performance.now() >= deadline) throw busyError(this.database.name, error);
      }
      await pause(LOCK_PAUSE_MS);
    }
  }

  /** SQLite keeps no queue for the write lock: a program that waits for it looks at moments of its own. */
  private async giveTurn(): Promise<void> {
    const restMs = this.restUntilMs - performance.now();
    // However short: what came meanwhile (a stop, say) is heard between two transactions.
    await (restMs >= SHORTEST_TURN_MS ? pause(restMs) : setImmediate());
  }

  private runTimed<T>(work: () => T): T {
    const startedMs = performance.now();
    try {
      return this.database.transaction(work).immediate();
    } finally {
      const endedMs = performance.now();
      this.restUntilMs = endedMs + (endedMs - startedMs) * TURN_SHARE;
    }
  }
}

function busyError(file: string, cause: unknown): SyncError {
  return new SyncError('database_busy', `Another program holds the write lock of ${file}.`, {
    hint: 'It is tried again; if this stays, look for a program that leaves a transaction open.',
    cause,
  });
}
