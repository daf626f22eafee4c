import type { Database } from 'better-sqlite3';
import type { Changelog } from '../changelog/changelog.js';
import { identifier, statement, template } from '../sql/template.js';

/** One replicated table as `GET /sync/tables` shows it. */
export interface TableReport {
  readonly name: string;
  /** Null: the table is missing, or does not fit now. */
  readonly rows: number | null;
  /** There are more than `rows`, which is as far as they are counted. */
  readonly more: boolean;
  /** Entries that no fold has read yet. */
  readonly unfolded: number;
  readonly quarantined: number;
  /** Open ones. */
  readonly conflicts: number;
}

/** Rows are counted up to here: some milliseconds. */
export const MAX_COUNTED_ROWS = 100_000;

/** Counting takes no more than this share of the time. */
const MOST_TIME_COUNTING = 0.02;

type Waiting = Pick<TableReport, 'name' | 'unfolded' | 'quarantined' | 'conflicts'>;
type Counted = Pick<TableReport, 'rows' | 'more'>;

const NOT_COUNTED: Counted = { rows: null, more: false };

/** Knows how many rows the tables have, and counts again once something was written and enough time has passed. */
export class TableWatch {
  private counted: ReadonlyMap<string, Counted> = new Map();
  private dataVersion: number | null = null;
  /** On the clock of `elapsedMs`. */
  private againMs = 0;

  constructor(
    private readonly database: Database,
    private readonly elapsedMs: () => number = () => performance.now(),
  ) {}

  /** What each of the configured tables holds, and what waits in it. */
  current(changelog: Changelog): TableReport[] {
    this.countAgain(changelog);
    const rows = changelog.prepare(statement('status/waiting')).all() as Waiting[];
    const waiting = new Map(rows.map((row) => [row.name, row]));
    const names = [...changelog.tables.map(({ name }) => name), ...changelog.unfit];
    return names.map((name) => ({
      ...{ unfolded: 0, quarantined: 0, conflicts: 0 },
      ...waiting.get(name),
      name,
      ...(this.counted.get(name) ?? NOT_COUNTED),
    }));
  }

  private countAgain(changelog: Changelog): void {
    const dataVersion = this.database.pragma('data_version', { simple: true }) as number;
    const startedMs = this.elapsedMs();
    if (dataVersion === this.dataVersion || startedMs < this.againMs) return;
    this.counted = new Map(changelog.tables.map(({ name }) => [name, countRows(changelog, name)]));
    const endedMs = this.elapsedMs();
    this.againMs = endedMs + (endedMs - startedMs) / MOST_TIME_COUNTING;
    this.dataVersion = dataVersion;
  }
}

function countRows(changelog: Changelog, table: string): Counted {
  const sql = template('status/count-rows', { table: identifier(table) });
  const { found } = changelog.prepare(sql).get({ limit: MAX_COUNTED_ROWS + 1 }) as { found: number };
  return { rows: Math.min(found, MAX_COUNTED_ROWS), more: found > MAX_COUNTED_ROWS };
}
