import { tableNamed, type Changelog } from '../changelog/changelog.js';
import { exactKey } from '../changelog/row.js';
import { literal, template } from '../sql/template.js';
import { reasonOf } from './quarantine.js';
import { inSavepoint } from './savepoint.js';
import { deleteRow } from './write.js';

/** Rows that one transaction deletes at most. */
const BATCH_ROWS = 500;

/** How expiry gets at the database. */
export interface Expiring {
  /** Runs work in a write transaction of its own, once everything is folded. */
  readonly inWrite: <T>(work: () => T) => Promise<T>;
  readonly changelog: () => Changelog;
}

export interface Expired {
  readonly deleted: number;
  /** Rows that the database itself refuses to delete. */
  readonly refused: number;
}

/** Deletes the rows that were marked as deleted before `beforeMs`, as an application would: the triggers capture it. */
export async function expireSoftDeleted(
  { inWrite, changelog }: Expiring,
  beforeMs: number,
): Promise<Expired> {
  const total = { deleted: 0, refused: 0 };
  for (const { name } of changelog().tables.filter(({ config }) => config.softDeleteColumn !== null)) {
    for (let after: number | null = 0; after !== null;) {
      const from: number = after;
      const batch = await inWrite(() => expireBatch(changelog(), name, { after: from, before: beforeMs }));
      total.deleted += batch.deleted;
      total.refused += batch.refused;
      after = batch.last;
    }
  }
  return total;
}

/** Deletes the next rows of a table; null for `last` where those were all. Call in a write transaction, all folded. */
export function expireBatch(
  changelog: Changelog,
  name: string,
  range: { after: number; before: number },
): Expired & { readonly last: number | null } {
  const table = tableNamed(changelog, name);
  if (table === undefined) return { deleted: 0, refused: 0, last: null };
  const sql = template('prune/soft-deleted', { tableName: literal(table.name) });
  const entries = changelog.prepare(sql).all({ ...range, limit: BATCH_ROWS }) as { id: number }[];
  let refused = 0;
  for (const { id } of entries) {
    const key = exactKey(changelog, table, id);
    try {
      inSavepoint(changelog, () => {
        deleteRow(changelog, table, key);
      });
    } catch (error) {
      if (!changelog.database.inTransaction || reasonOf(error) === null) throw error;
      refused += 1;
    }
  }
  const last = entries.length < BATCH_ROWS ? null : (entries.at(-1)?.id ?? null);
  return { deleted: entries.length - refused, refused, last };
}

/** How many rows `expireSoftDeleted` would delete now. */
export function countSoftDeleted(changelog: Changelog, beforeMs: number): number {
  return changelog.tables
    .filter(({ config }) => config.softDeleteColumn !== null)
    .map(({ name }) => {
      const sql = template('prune/count-soft-deleted', { tableName: literal(name) });
      return (changelog.prepare(sql).get({ before: beforeMs }) as { rows: number }).rows;
    })
    .reduce((sum, rows) => sum + rows, 0);
}
