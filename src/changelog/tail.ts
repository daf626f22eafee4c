import { statement } from '../sql/template.js';
import { toWire, type WireValue } from '../wire/value.js';
import { tableNamed, type Changelog } from './changelog.js';
import { exactKey } from './row.js';

/** One entry as `GET /sync/changelog` shows it. */
export interface TailEntry {
  /** Its log id. */
  readonly seq: number;
  readonly table: string;
  readonly operation: 'INSERT' | 'UPDATE' | 'DELETE';
  /** Null where the table is not replicated now. */
  readonly key: readonly WireValue[] | null;
  /** The stamp of a version, or when it was captured; ms since 1970. Null: not known before it is folded. */
  readonly time_ms: number | null;
  /** The instance that authored it; null: it was written here and is not folded yet. */
  readonly origin: string | null;
}

export interface ChangelogTail {
  /** Newest first. */
  readonly entries: readonly TailEntry[];
}

/** Entries that one answer holds at most: each key is read by itself. */
export const MAX_TAIL = 200;

/** The newest entries of the changelog, folded or not. */
export function readTail(changelog: Changelog, limit: number): ChangelogTail {
  return changelog.database.transaction(() => {
    const rows = changelog.prepare(statement('changelog/tail')).all({ limit }) as Omit<TailEntry, 'key'>[];
    return { entries: rows.map((row) => ({ ...row, key: keyOf(changelog, row) })) };
  })();
}

function keyOf(changelog: Changelog, { seq, table: name }: Omit<TailEntry, 'key'>): WireValue[] | null {
  const table = tableNamed(changelog, name);
  return table === undefined ? null : exactKey(changelog, table, seq).map(toWire);
}
