import type { Database } from 'better-sqlite3';
import type { Changelog } from '../changelog/changelog.js';
import { findDangling, type DanglingReference } from '../changelog/dangling.js';

/** Checking references reads whole tables: it takes no more than this share of the time. */
const MOST_TIME_CHECKING = 0.02;

/** Keeps what is known of dangling references, and looks again once something was written and enough time has passed. */
export class ReferenceWatch {
  private found: readonly DanglingReference[] = [];
  private dataVersion: number | null = null;
  /** On the clock of `elapsedMs`. */
  private againMs = 0;

  constructor(
    private readonly database: Database,
    private readonly elapsedMs: () => number = () => performance.now(),
  ) {}

  current(changelog: Changelog): readonly DanglingReference[] {
    const dataVersion = this.database.pragma('data_version', { simple: true }) as number;
    const startedMs = this.elapsedMs();
    if (dataVersion === this.dataVersion || startedMs < this.againMs) return this.found;
    this.found = this.database.transaction(() => findDangling(changelog).dangling)();
    const endedMs = this.elapsedMs();
    this.againMs = endedMs + (endedMs - startedMs) / MOST_TIME_CHECKING;
    this.dataVersion = dataVersion;
    return this.found;
  }
}
