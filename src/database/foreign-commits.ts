import type { Database } from 'better-sqlite3';

/** Another program writes now: its last two commits were seen within the first of these, the last within the second. */
const COMMITS_WITHIN_MS = 1_000;
const BUSY_FOR_MS = 500;
/** Whether a commit that was seen alone is followed by others shows soon. */
const ALONE_FOR_MS = 50;

/** What one connection sees of the commits of others. Times are on the clock of `performance`. */
export class ForeignCommits {
  private dataVersion: unknown = null;
  private lastMs = -Infinity;
  private busyUntilMs = -Infinity;

  constructor(private readonly database: Database) {}

  /** When the last one was seen. */
  get seenMs(): number {
    return this.lastMs;
  }

  /** Whether another program is writing, as far as was seen. */
  get areComing(): boolean {
    return performance.now() < this.busyUntilMs;
  }

  /** `PRAGMA data_version` changes with the commits of others, not with ours. */
  look(): void {
    const dataVersion = this.database.pragma('data_version', { simple: true });
    const nowMs = performance.now();
    if (this.dataVersion !== null && dataVersion !== this.dataVersion) {
      const isAlone = nowMs - this.lastMs > COMMITS_WITHIN_MS;
      this.busyUntilMs = nowMs + (isAlone ? ALONE_FOR_MS : BUSY_FOR_MS);
      this.lastMs = nowMs;
    }
    this.dataVersion = dataVersion;
  }
}
