import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import { Checkpoints } from './checkpoints.js';
import { ForeignCommits } from './foreign-commits.js';
import { environmentError, isBusy } from './open.js';
import { SyncError } from '../errors.js';

/*
 * SQLite keeps no queue for the write lock: a program that waits for it looks after 1, 3, 8, 18, 33 ms and so on, in the
 * end every 100 ms. So its turn comes for certain where the lock is free for that long. Beside a program that writes now,
 * our transactions are so short that it has its turn at one of its first looks; where nobody writes, they are long, and
 * the turns fewer: short transactions cost several times as much a row.
 */

/** Beside a program that writes now a transaction of ours works for about this long at most, and rests for that many times as long. */
const SHORT_BOX_MS = 1;
const SHORT_TURN_FACTOR = 2.5;
const SHORTEST_TURN_MS = 1;

/**
 * Where that program writes more than we fold in such a time, its changelog would grow and grow: then it waits longer. So
 * it does where it left us no turn.
 */
const PRESSED_BOX_MS = 100;
const PRESSED_TURN_FACTOR = 0.3;

/**
 * Otherwise it may work longer, and rests once it has held the lock for that long in all. Who waits for a second at most
 * looks at least once while it rests, even where the machine wakes it late; who commits more than once meanwhile writes.
 */
const LONG_BOX_MS = 200;
const HELD_BEFORE_TURN_MS = 600;
const LONG_TURN_MS = 150;
const LOOK_MS = 10;

/**
 * Work is cut to its time by what it costs on an ordinary machine. Where the lock was held for more than that times the
 * longest box, the next is given less time, and gets it back little by little.
 */
const OVERRUN = 1.5;
const LEAST_PACE = 0.05;
const RECOVERY = 1.1;

/** Between two attempts to get the write lock. */
const LOCK_PAUSE_MS = 20;

/**
 * A program that begins its next transaction as soon as it has committed leaves the lock free for some 10 µs, which looks
 * with pauses miss for ever. Beside such a one we look without pause, for so long at a time.
 */
const EAGER_MS = 25;

/**
 * Runs work in write transactions without holding the thread while another process has the write lock: short attempts
 * with pauses between them, up to `busyTimeoutMs`. Between them the application has its turn. `stop()` makes waiting
 * attempts give up.
 */
export class Transactions {
  private stopping = false;
  /** The application's turn lasts until then, on the clock of `performance`, and until `waitUntilMs` unless it commits. */
  private restUntilMs = 0;
  private waitUntilMs = 0;
  private heldUntilMs = 0;
  /** How long we have held the lock since the application's last turn. */
  private heldMs = 0;
  /** Of the transaction that is open, or was the last. */
  private isPressed = false;
  /** How much of its time work is given, so that it does not take longer: 1 where the machine is as fast as is expected. */
  private pace = 1;
  private readonly foreignCommits: ForeignCommits;
  private readonly checkpoints: Checkpoints;
  /** How long SQLite itself looks for a lock, but while we do. */
  private readonly lookMs: number;

  constructor(
    private readonly database: Database,
    private readonly busyTimeoutMs: number,
    private readonly afterRollback: () => void,
  ) {
    this.foreignCommits = new ForeignCommits(database);
    this.checkpoints = new Checkpoints(database, this.foreignCommits, (startedMs, heldMs) => {
      this.restAfterCheckpoint(startedMs, heldMs);
    });
    this.lookMs = database.pragma('busy_timeout', { simple: true }) as number;
  }

  stop(): void {
    this.stopping = true;
  }

  /** How long the transaction that is open may hold the lock. */
  get boxMs(): number {
    if (!this.foreignCommits.areComing) return LONG_BOX_MS * this.pace;
    return this.isPressed ? PRESSED_BOX_MS * this.pace : SHORT_BOX_MS;
  }

  /** `isPressed`: more has come meanwhile than the transaction before could take in. So it is where an attempt failed. */
  async run<T>(work: () => T, isPressed = false): Promise<T> {
    const deadline = performance.now() + this.busyTimeoutMs;
    for (let pressed = isPressed; ; pressed = true) {
      if (this.stopping) throw new SyncError('stopping', 'The replica is stopping.');
      try {
        await this.giveTurn();
        this.isPressed = pressed;
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
    // However short: what came meanwhile (a stop, say) is heard between two transactions.
    await setImmediate();
    for (;;) {
      const restMs = this.turnUntilMs() - performance.now();
      if (restMs < SHORTEST_TURN_MS) return;
      await pause(Math.min(restMs, LOOK_MS));
      if (restMs > LOOK_MS) this.foreignCommits.look();
    }
  }

  private turnUntilMs(): number {
    return this.foreignCommits.seenMs > this.heldUntilMs
      ? this.restUntilMs
      : Math.max(this.restUntilMs, this.waitUntilMs);
  }

  private runTimed<T>(work: () => T): T {
    this.foreignCommits.look();
    const isEager = this.isPressed && this.foreignCommits.areComing;
    let startedMs: number | null = null;
    let tookMs = 0;
    const timed = (): T => {
      startedMs = performance.now();
      // Without a WAL the commit has to wait for who reads.
      if (isEager) this.lookFor(this.lookMs);
      // What was committed before this is not of the turn that follows it.
      this.foreignCommits.look();
      try {
        return work();
      } finally {
        tookMs = performance.now() - startedMs;
      }
    };
    try {
      const transaction = this.database.transaction(timed);
      const begin = (): T => transaction.immediate();
      return isEager ? this.catchGap(begin, () => startedMs === null) : begin();
    } finally {
      if (startedMs !== null) this.planTurn(tookMs, performance.now() - startedMs);
      this.checkpoints.plan();
    }
  }

  /** Begins in the gap between two transactions of a program that makes one after the other. */
  private catchGap<T>(begin: () => T, isWaiting: () => boolean): T {
    this.lookFor(0);
    try {
      for (const untilMs = performance.now() + EAGER_MS; ;) {
        try {
          return begin();
        } catch (error) {
          if (!isWaiting() || !isBusy(error) || performance.now() > untilMs) throw error;
        }
      }
    } finally {
      this.lookFor(this.lookMs);
    }
  }

  /** How long SQLite itself looks for a lock, in ms. */
  private lookFor(ms: number): void {
    this.database.pragma(`busy_timeout = ${ms}`);
  }

  /** The others' turn is as long as it was to be, on a disk that has written what was checkpointed. */
  private restAfterCheckpoint(startedMs: number, heldMs: number): void {
    const nowMs = performance.now();
    if (this.restUntilMs > startedMs) this.restUntilMs += nowMs - startedMs;
    this.restUntilMs = Math.max(this.restUntilMs, nowMs + heldMs * SHORT_TURN_FACTOR);
  }

  /** `tookMs`: without the commit, most of which is written when the lock is free again; `heldMs`: with all of it. */
  private planTurn(tookMs: number, heldMs: number): void {
    const nowMs = performance.now();
    this.heldMs += heldMs;
    const isOverrun = heldMs > LONG_BOX_MS * OVERRUN;
    const paced = isOverrun ? (this.pace * LONG_BOX_MS) / heldMs : this.pace * RECOVERY;
    this.pace = Math.min(1, Math.max(LEAST_PACE, paced));
    const factor = this.isPressed ? PRESSED_TURN_FACTOR : SHORT_TURN_FACTOR;
    this.heldUntilMs = nowMs;
    if (this.foreignCommits.areComing) this.restUntilMs = nowMs + tookMs * factor;
    else if (this.heldMs >= HELD_BEFORE_TURN_MS) this.restUntilMs = nowMs + LONG_TURN_MS;
    else return;
    if (this.isPressed) this.waitUntilMs = nowMs + LONG_TURN_MS;
    this.heldMs = 0;
  }
}

function busyError(file: string, cause: unknown): SyncError {
  return new SyncError('database_busy', `Another program holds the write lock of ${file}.`, {
    hint: 'It is tried again; if this stays, look for a program that leaves a transaction open.',
    cause,
  });
}
