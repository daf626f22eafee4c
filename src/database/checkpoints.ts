import { setImmediate as soon } from 'node:timers';
import type { Database } from 'better-sqlite3';
import type { ForeignCommits } from './foreign-commits.js';
import { sqliteCodeOf } from './open.js';
import { syncFile } from './sync-file.js';
import { checkpointWal, walFileOf, type WalState } from './wal.js';
import { isSystemError } from '../errors.js';

/**
 * Beside a program that writes we checkpoint at this share of `wal_autocheckpoint`. SQLite makes a checkpoint in the commit
 * that passes that number, and that should be none of the program's.
 */
const BESIDE_WRITER_FACTOR = 0.5;

/** How long we look for the write lock where the rest is to be copied. */
const REST_WITHIN_MS = 2;

/** Where that failed, it is tried again once the WAL has grown by this share of the limit. */
const RETRY_FACTOR = 0.1;

/** `onMade` is told when a checkpoint was begun, on the clock of `performance`, and for how many ms it held the write lock. */
export type OnCheckpoint = (startedMs: number, heldMs: number) => void;

/** Makes the checkpoints of one connection after its commits were answered; SQLite would make them within the commit. */
export class Checkpoints {
  /** As configured; 0: never. */
  private readonly autocheckpointPages: number;
  private readonly walFile: string;
  private readonly busyTimeoutMs: number;
  private readonly isSyncWorthwhile: boolean;
  private isPlanned = false;
  /** The WAL had so many pages at the last one that left some, less those after which it is tried again. */
  private triedAtPages = 0;

  constructor(
    private readonly database: Database,
    private readonly foreignCommits: ForeignCommits,
    private readonly onMade: OnCheckpoint,
  ) {
    this.autocheckpointPages = this.setting('wal_autocheckpoint');
    database.pragma('wal_autocheckpoint = 0');
    this.walFile = walFileOf(database.name);
    this.busyTimeoutMs = this.setting('busy_timeout');
    // On macOS Node waits until the drive has emptied its cache, for which SQLite does not.
    this.isSyncWorthwhile = process.platform !== 'darwin' && this.setting('synchronous') > 0;
  }

  /** After a transaction: makes one soon, where the WAL is long. */
  plan(): void {
    if (this.isPlanned || this.autocheckpointPages === 0) return;
    this.isPlanned = true;
    soon(() => {
      this.isPlanned = false;
      if (this.database.open) this.makeWhereLong();
    });
  }

  private makeWhereLong(): void {
    try {
      const isBesideWriter = this.foreignCommits.areComing;
      const limitPages = this.autocheckpointPages * (isBesideWriter ? BESIDE_WRITER_FACTOR : 1);
      const { log, checkpointed } = checkpointWal(this.database, 'NOOP');
      this.triedAtPages = Math.min(this.triedAtPages, log);
      if (log - this.triedAtPages < limitPages || log === checkpointed) return;
      const made = isBesideWriter ? this.makeBesideWriter() : this.makePassive();
      if (made.log > made.checkpointed) this.triedAtPages = log;
      else this.triedAtPages = isMissed(made) ? log - limitPages * (1 - RETRY_FACTOR) : 0;
    } catch (error) {
      // As with SQLite's own: what is committed is in the WAL, and the checkpoint of the schedule tells of it.
      if (sqliteCodeOf(error) === undefined) throw error;
    }
  }

  private makePassive(): WalState {
    const startedMs = performance.now();
    const made = checkpointWal(this.database, 'PASSIVE');
    this.onMade(startedMs, 0);
    return made;
  }

  /**
   * A passive checkpoint leaves what is committed while it copies, and a WAL of which something is left never begins anew:
   * it would grow until the program's commits make the checkpoints. So the rest is copied under the write lock, and who
   * reads is waited for as briefly, without which the next commit might still be added at the end. The WAL is synced before:
   * only the sync of the database file holds the lock.
   */
  private makeBesideWriter(): WalState {
    const startedMs = performance.now();
    checkpointWal(this.database, 'PASSIVE');
    if (this.isSyncWorthwhile) this.syncWal();
    const restMs = performance.now();
    this.database.pragma(`busy_timeout = ${REST_WITHIN_MS}`);
    try {
      const made = checkpointWal(this.database, 'RESTART');
      this.onMade(startedMs, isMissed(made) ? 0 : performance.now() - restMs);
      return made;
    } finally {
      this.database.pragma(`busy_timeout = ${this.busyTimeoutMs}`);
    }
  }

  private syncWal(): void {
    try {
      syncFile(this.walFile);
    } catch (error) {
      // SQLite syncs it as well, and tells of what keeps it from that: the lock is held for longer then.
      if (!isSystemError(error)) throw error;
    }
  }

  private setting(name: string): number {
    return this.database.pragma(name, { simple: true }) as number;
  }
}

/** Whether it got no lock: all that it saw is copied, and yet it is not complete. */
function isMissed({ busy, log, checkpointed }: WalState): boolean {
  return busy === 1 && log === checkpointed;
}
