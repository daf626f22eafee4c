import { closeSync, fsyncSync, openSync } from 'node:fs';
import { setImmediate as soon } from 'node:timers';
import type { Database } from 'better-sqlite3';
import type { ForeignCommits } from './foreign-commits.js';
import { sqliteCodeOf } from './open.js';
import { walFileOf } from './wal-file.js';
import { isSystemError } from '../errors.js';

/**
 * Beside a program that writes we checkpoint after so much of the pages that `wal_autocheckpoint` names: a checkpoint is
 * made by whose commit passes that number, and that program's commits should not be the ones that wait for it.
 */
const SHORT_CHECKPOINT = 0.5;

/** And look for the write lock, which the end of such a checkpoint needs, for so long at most. */
const END_WITHIN_MS = 2;

/**
 * What `PRAGMA wal_checkpoint` returns: pages in the WAL, and how many of them are in the database file; both -1 where it
 * did not look, or in another journal mode.
 */
interface WalState {
  readonly busy: 0 | 1;
  readonly log: number;
  readonly checkpointed: number;
}

/** On macOS Node waits until the drive has emptied its cache, for which SQLite does not: that would take longer than it saves. */
const SYNCS_FIRST = process.platform !== 'darwin';

/** Makes the checkpoints of one connection in place of SQLite, which makes them in the commit: once it was answered. */
export class Checkpoints {
  /** Pages, as configured; 0: never. */
  private readonly autocheckpoint: number;
  private isPlanned = false;
  /** Pages that the last one left in the WAL, since a program reads what was there before them. */
  private left = 0;
  /** The last one did not get the write lock for its end. */
  private isOpen = false;

  /** `onMade` is told how long one took, and how long it held the write lock of it, in ms. */
  constructor(
    private readonly database: Database,
    private readonly foreignCommits: ForeignCommits,
    private readonly onMade: (tookMs: number, heldMs: number) => void,
  ) {
    this.autocheckpoint = database.pragma('wal_autocheckpoint', { simple: true }) as number;
    database.pragma('wal_autocheckpoint = 0');
  }

  /** After a transaction: makes one soon, where the WAL is long. */
  plan(): void {
    if (this.isPlanned || this.autocheckpoint === 0) return;
    this.isPlanned = true;
    soon(() => {
      this.isPlanned = false;
      if (this.database.open) this.makeWhereLong();
    });
  }

  private makeWhereLong(): void {
    const startedMs = performance.now();
    let copiedMs: number;
    try {
      const isBeside = this.foreignCommits.areComing;
      const pages = this.autocheckpoint * (isBeside ? SHORT_CHECKPOINT : 1);
      const inWal = leftBy(this.checkpoint('NOOP'));
      this.left = Math.min(this.left, inWal);
      if (inWal - this.left < pages && !this.isOpen) return;
      this.isOpen = false;
      let made = this.checkpoint('PASSIVE');
      if (isBeside && SYNCS_FIRST) syncFile(walFileOf(this.database.name));
      copiedMs = performance.now();
      if (isBeside) made = this.end();
      this.left = leftBy(made);
      this.isOpen = isBeside && made.busy === 1 && this.left === 0;
    } catch (error) {
      // As with SQLite's own: what is committed is in the WAL, and the checkpoint of the schedule tells of it.
      if (sqliteCodeOf(error) === undefined && !isSystemError(error)) throw error;
      return;
    }
    const madeMs = performance.now();
    this.onMade(madeMs - startedMs, madeMs - copiedMs);
  }

  /**
   * What the program has committed meanwhile is left in the WAL, which begins anew only where nothing is left: it would
   * grow until that program's commits have to checkpoint it. So that little is copied while nobody else writes. The lock is
   * held while the disk takes the database file, but not the WAL: that was written before.
   */
  private end(): WalState {
    const lookMs = this.database.pragma('busy_timeout', { simple: true }) as number;
    this.database.pragma(`busy_timeout = ${END_WITHIN_MS}`);
    try {
      return this.checkpoint('RESTART');
    } finally {
      this.database.pragma(`busy_timeout = ${lookMs}`);
    }
  }

  private checkpoint(mode: 'NOOP' | 'PASSIVE' | 'RESTART'): WalState {
    const [state] = this.database.pragma(`wal_checkpoint(${mode})`) as [WalState];
    return state;
  }
}

/** Pages in the WAL that are not in the database file yet. */
function leftBy({ log, checkpointed }: WalState): number {
  return log - checkpointed;
}

function syncFile(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
