import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import { environmentError, isBusy } from './open.js';
import { SyncError } from '../errors.js';

/*
 * SQLite keeps no queue for the write lock: a program that waits for it looks at moments of its own, at most 100 ms
 * apart. So its turn comes for certain where the lock is free for that long. Beside a program that writes now, our
 * transactions are short, and it has its turn after each; where nobody has written for a while, they are long, and the
 * turns fewer: short transactions cost twice as much a row.
 */

/** Other programs that have committed within this time write now. */
const BUSY_FOR_MS = 5_000;

/** Beside them a transaction of ours holds the lock for about this long at most, and rests for a share of that. */
const SHORT_BOX_MS = 50;
const SHORT_TURN_SHARE = 0.5;
const SHORTEST_TURN_MS = 1;

/** Otherwise it may hold it longer, and rests once it was held for that long in all. */
const LONG_BOX_MS = 400;
const LONG_TURN_MS = 100;

/** Between two attempts to get the write lock. */
const LOCK_PAUSE_MS = 20;

/**
 * Runs work in write transactions without holding the thread while another process has the write lock: short attempts
 * with pauses between them, up to `busyTimeoutMs`. Between them the application has its turn. `stop()` makes waiting
 * attempts give up.
 */
export class Transactions {
  private stopping = false;
  /** The application's turn lasts until then, on the clock of `performance`. */
  private restUntilMs = 0;
  /** How long we have held the lock since the application's last turn. */
  private heldMs = 0;
  private dataVersion: unknown = null;
  /** When another program was last seen to have committed, on the same clock. */
  private foreignCommitMs = -Infinity;

  constructor(
    private readonly database: Database,
    private readonly busyTimeoutMs: number,
    private readonly afterRollback: () => void,
  ) {}

  stop(): void {
    this.stopping = true;
  }

  /** How long the transaction that is open may hold the lock. */
  get boxMs(): number {
    return this.isBesideWriter() ? SHORT_BOX_MS : LONG_BOX_MS;
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

  private async giveTurn(): Promise<void> {
    const restMs = this.restUntilMs - performance.now();
    // However short: what came meanwhile (a stop, say) is heard between two transactions.
    await (restMs >= SHORTEST_TURN_MS ? pause(restMs) : setImmediate());
  }

  private runTimed<T>(work: () => T): T {
    this.lookForCommits();
    const startedMs = performance.now();
    try {
      return this.database.transaction(work).immediate();
    } finally {
      this.planTurn(startedMs);
    }
  }

  /** `PRAGMA data_version` changes with the commits of others, not with ours. */
  private lookForCommits(): void {
    const dataVersion = this.database.pragma('data_version', { simple: true });
    if (this.dataVersion !== null && dataVersion !== this.dataVersion)
      this.foreignCommitMs = performance.now();
    this.dataVersion = dataVersion;
  }

  private isBesideWriter(): boolean {
    return performance.now() - this.foreignCommitMs < BUSY_FOR_MS;
  }

  private planTurn(startedMs: number): void {
    const endedMs = performance.now();
    const tookMs = endedMs - startedMs;
    this.heldMs += tookMs;
    if (this.isBesideWriter()) this.restUntilMs = endedMs + tookMs * SHORT_TURN_SHARE;
    else if (this.heldMs >= LONG_BOX_MS) this.restUntilMs = endedMs + LONG_TURN_MS;
    else return;
    this.heldMs = 0;
  }
}

function busyError(file: string, cause: unknown): SyncError {
  return new SyncError('database_busy', `Another program holds the write lock of ${file}.`, {
    hint: 'It is tried again; if this stays, look for a program that leaves a transaction open.',
    cause,
  });
}
