import { setImmediate as soon } from 'node:timers';
import type { Database } from 'better-sqlite3';
import type { ForeignCommits } from './foreign-commits.js';
import { sqliteCodeOf } from './open.js';

/**
 * Beside a program that writes we checkpoint after so much of the pages that `wal_autocheckpoint` names: a checkpoint is
 * made by whose commit passes that number, and that program's commits should not be the ones that wait for it. Ours do
 * not wait either: it is made once the commit was answered.
 */
const SHORT_CHECKPOINT = 0.5;

/** Makes the checkpoints of one connection in place of SQLite, which makes them in the commit. */
export class Checkpoints {
  /** Pages, as configured; 0: never. */
  private readonly autocheckpoint: number;
  private isPlanned = false;

  /** `onMade` is told how long one took, in ms. */
  constructor(
    private readonly database: Database,
    private readonly foreignCommits: ForeignCommits,
    private readonly onMade: (tookMs: number) => void,
  ) {
    this.autocheckpoint = database.pragma('wal_autocheckpoint', { simple: true }) as number;
    database.pragma('wal_autocheckpoint = 0');
  }

  /** The WAL is checkpointed where it has so many pages after a transaction; 0: never. */
  get pages(): number {
    return Math.ceil(this.autocheckpoint * (this.foreignCommits.areComing ? SHORT_CHECKPOINT : 1));
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
    try {
      if (walPagesOf(this.database) < this.pages) return;
      this.database.pragma('wal_checkpoint(PASSIVE)');
    } catch (error) {
      // As with SQLite's own: what is committed is in the WAL, and the checkpoint of the schedule tells of it.
      if (sqliteCodeOf(error) === undefined) throw error;
      return;
    }
    this.onMade(performance.now() - startedMs);
  }
}

/** Pages in the WAL that are not in the database file yet; 0 in another journal mode. */
function walPagesOf(database: Database): number {
  const [wal] = database.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[];
  return wal === undefined ? 0 : wal.log - wal.checkpointed;
}
