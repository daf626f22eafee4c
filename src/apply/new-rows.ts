import { tableNamed, type Changelog } from '../changelog/changelog.js';
import { hashOfKey } from '../changelog/row.js';
import { placesOf } from '../database/bind.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { messageOf } from '../errors.js';
import { statement } from '../sql/template.js';
import type { Change } from '../wire/change.js';
import { aheadReason } from './ahead.js';
import { keyFault, writableOf } from './apply-change.js';
import { findVersion, type ApplyClock } from './local.js';
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
  /** Of their keys. */
  readonly hashes: readonly number[];
}

/** What a look at a place in a page has found. */
export interface Look {
  /** Null where the changes there can't go together. */
  readonly rows: NewRows | null;
  /** So many changes from that place on go one by one where there are no rows. */
  readonly alone: number;
}

/** A row in the middle could not be inserted: the transaction has to be taken back, and its changes go one by one. */
export class NotTogether extends Error {
  constructor(cause: unknown) {
    super(`Some row could not be inserted with others: ${messageOf(cause)}`, { cause });
  }
}

/** Whether the next `count` changes at a place in a page are new rows that can be entered together. */
export function newRowsAt(
  changelog: Changelog,
  changes: readonly Change[],
  { place, count, clock }: { readonly place: number; readonly count: number; readonly clock: ApplyClock },
): Look {
  const name = changes[place]?.table ?? '';
  const table = tableNamed(changelog, name);
  const candidates = changes.slice(place, place + count);
  if (table === undefined || table.table.replacesOnConflict) return { rows: null, alone: 1 };
  const writables: Writable[] = [];
  for (const change of candidates) {
    const isPlain = change.table === name && aheadReason(change, null, clock) === null;
    const writable = isPlain ? plainRowOf(table, change) : null;
    if (writable === null || !sameColumns(writable, writables[0] ?? writable)) break;
    // A page of known rows is looked through at the price of one look for each, not of many.
    if (writables.length === 0 && findVersion(changelog, table, change.key) !== null) break;
    writables.push(writable);
  }
  // Those that were looked at, and the one after them, are fewer than go together.
  if (writables.length < count) return { rows: null, alone: writables.length + 1 };
  const hashes = candidates.map(({ key }) => hashOfKey(changelog, table, key));
  const known = firstKnown(changelog, hashes);
  if (known !== null) return { rows: null, alone: known + 1 };
  return { rows: { table, changes: candidates, writables, hashes }, alone: 0 };
}

/** Null where the change is no row, or one of values that can't be bound as they are. */
function plainRowOf(table: ReplicatedTable, change: Change): Writable | null {
  const { key, record } = change;
  if (record === null || keyFault(table, key) !== null) return null;
  const writable = writableOf(table, change, record);
  return typeof writable === 'string' || placesOf(writable.values) !== '' ? null : writable;
}

/** The place of the first hash that an entry has; null where none has. Two keys may share one: then neither is new. */
function firstKnown(changelog: Changelog, hashes: readonly number[]): number | null {
  const find = changelog.prepare(statement('apply/known-hashes'));
  const rows = find.all([JSON.stringify(hashes)]) as { hash: number }[];
  if (rows.length === 0) return null;
  const known = new Set(rows.map(({ hash }) => hash));
  return hashes.findIndex((hash) => known.has(hash));
}

function sameColumns(a: Writable, b: Writable): boolean {
  return a.names.length === b.names.length && a.names.every((name, index) => name === b.names[index]);
}

/**
 * Writes new rows and enters their versions. Throws `NotTogether` where one of them can't be written, or is there
 * already: what was written by then has to be taken back with the transaction.
 */
export function enterTogether(changelog: Changelog, { table, changes, writables, hashes }: NewRows): void {
  let inserted: number;
  try {
    inserted = insertRows(changelog, table, writables);
  } catch (error) {
    throw reasonOf(error) === null ? error : new NotTogether(error);
  }
  if (inserted !== writables.length) throw new NotTogether('a rule or trigger of this database ignores rows');
  enterNewVersions(changelog, table, changes, hashes);
}
