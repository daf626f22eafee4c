import { tableNamed, type Changelog } from '../changelog/changelog.js';
import { placesOf } from '../database/bind.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { messageOf } from '../errors.js';
import type { Change } from '../wire/change.js';
import { keyFault, writableOf } from './apply-change.js';
import { findVersion } from './local.js';
import { reasonOf } from './quarantine.js';
import { enterNewVersions, insertRows, type Writable } from './write.js';

/*
 * A page of a first sync holds rows that are new here, one after the other. A statement for each of them costs about as
 * much as what it does, so several go into one. That is possible only where nothing stands in the way of any of them.
 */

/** Rows that one statement inserts. The values of so many rows of MAX_COLUMNS fit in one statement. */
export const ROWS_TOGETHER = 32;

/** Changes of one table, all of rows that the changelog does not know, with the same columns. */
export interface NewRows {
  readonly table: ReplicatedTable;
  readonly changes: readonly Change[];
  readonly writables: readonly Writable[];
}

/** A row in the middle could not be inserted: the transaction has to be taken back, and its changes go one by one. */
export class NotTogether extends Error {
  constructor(cause: unknown) {
    super(`Some row could not be inserted with others: ${messageOf(cause)}`, { cause });
  }
}

/** The new rows at a place in a page, up to `count`: only so many can be entered together. */
export function newRowsAt(
  changelog: Changelog,
  changes: readonly Change[],
  { place, count }: { readonly place: number; readonly count: number },
): NewRows | null {
  const name = changes[place]?.table ?? '';
  const table = tableNamed(changelog, name);
  if (table === undefined || table.table.replacesOnConflict) return null;
  const found: { changes: Change[]; writables: Writable[] } = { changes: [], writables: [] };
  for (const change of changes.slice(place, place + count)) {
    const writable = change.table === name ? newRowOf(changelog, table, change) : null;
    if (writable === null || !sameColumns(writable, found.writables[0] ?? writable)) break;
    found.changes.push(change);
    found.writables.push(writable);
  }
  return { table, ...found };
}

/** Null where the change is more than a row that is not known here, of values that are bound as they are. */
function newRowOf(changelog: Changelog, table: ReplicatedTable, change: Change): Writable | null {
  const { key, record } = change;
  if (record === null || keyFault(table, key) !== null) return null;
  const writable = writableOf(table, change, record);
  if (typeof writable === 'string' || placesOf(writable.values) !== '') return null;
  return findVersion(changelog, table, key) === null ? writable : null;
}

function sameColumns(a: Writable, b: Writable): boolean {
  return a.names.length === b.names.length && a.names.every((name, index) => name === b.names[index]);
}

/**
 * Writes new rows and enters their versions. Throws `NotTogether` where one of them can't be written, or is there
 * already: what was written by then has to be taken back with the transaction.
 */
export function enterTogether(changelog: Changelog, { table, changes, writables }: NewRows): void {
  let inserted: number;
  try {
    inserted = insertRows(changelog, table, writables);
  } catch (error) {
    throw reasonOf(error) === null ? error : new NotTogether(error);
  }
  if (inserted !== writables.length) throw new NotTogether('a rule or trigger of this database ignores rows');
  enterNewVersions(changelog, table, changes);
}
