import { recordColumns, underIndex } from '../database/record-columns.js';
import { keyInIndexOrder, type ReplicatedTable } from '../database/replicable.js';
import type { Transactions } from '../database/transactions.js';
import { fragment, identifier, joinSql, literal, statement, template, type Sql } from '../sql/template.js';
import { bindings, placeholder } from '../database/bind.js';
import { fromWire, toWire, type SqlValue } from '../wire/value.js';
import type { Changelog } from './changelog.js';
import { knowDifference, markVanished, startCounting } from './evictions.js';
import { exactKey } from './row.js';
import { backfillVanished, foldAll, type LookOptions } from './vanished.js';

export interface BackfillOptions extends LookOptions {
  /** Called after each batch with the rows read so far in this run. */
  readonly onProgress: (table: string, rows: number) => void;
}

export interface BackfillResult {
  readonly table: string;
  /** Rows looked at in this run. */
  readonly rows: number;
  /** Versions made: rows that had none, that changed, or that went, while no trigger saw it. */
  readonly versions: number;
}

/** A table that is to be looked at: rows were written without triggers, or vanished by REPLACE. */
export interface Gap {
  /** 1: its rows are to be compared with their versions, 2: only its versions with the rows. */
  readonly gap: number;
  /** How many gaps were found in it so far; another one may be found while this one is looked at. */
  readonly gaps: number;
}

const VANISHED = 2;

/** About so many rows are looked at in a ms; no batch has fewer than the second, or a rest after each would take longer. */
const ROWS_A_MS = 20;
const LEAST_BATCH = 500;

/**
 * Enters a table's rows in the changelog, batch by batch in key order, each batch in its own transaction; goes on where
 * an earlier run was interrupted. A row counts as written at its own timestamp, or at 0; a row whose version says what
 * it holds is left as it is.
 */
export async function backfillTable(
  changelog: Changelog,
  transactions: Transactions,
  table: ReplicatedTable,
  options: BackfillOptions,
): Promise<BackfillResult> {
  const gaps = await transactions.run(() => {
    changelog.prepare(statement('backfill/begin')).run({ table: table.name });
    return stateOf(changelog, table)?.gaps;
  });
  if (gaps === undefined) throw new TypeError(`Expected the backfill of "${table.name}" to have begun`);
  return compareTable(changelog, transactions, table, { ...options, gaps });
}

/** Enters what no trigger saw, and closes the gap, unless another one was found meanwhile. */
export async function closeGap(
  changelog: Changelog,
  transactions: Transactions,
  table: ReplicatedTable,
  options: BackfillOptions & Gap,
): Promise<void> {
  const close = options.gap === VANISHED ? closeEvictions : compareTable;
  await close(changelog, transactions, table, options);
}

type GapOptions = BackfillOptions & Pick<Gap, 'gaps'>;

/** Several processes may do this at once, and go on from each other's batches. */
async function compareTable(
  changelog: Changelog,
  transactions: Transactions,
  table: ReplicatedTable,
  options: GapOptions,
): Promise<BackfillResult> {
  await transactions.run(() => {
    startCounting(changelog, table);
  });
  let rows = 0;
  let versions = 0;
  for (;;) {
    const batch = await transactions.run(() => {
      const fitting = Math.max(LEAST_BATCH, Math.floor(transactions.boxMs * ROWS_A_MS));
      return nextBatch(changelog, table, { ...options, batchRows: Math.min(options.batchRows, fitting) });
    });
    if (batch === null) return { table: table.name, rows, versions };
    versions += await foldAll(changelog, transactions, options);
    rows += batch.rows;
    options.onProgress(table.name, rows);
    if (batch.isLast) break;
  }
  versions += await backfillVanished(changelog, transactions, table, {
    ...options,
    at: 0,
    // Every row has a version now: more or less of them are only taken for granted where nothing can have vanished.
    expected: () => 0,
    end: (looked, difference) => {
      if (hasOtherGap(changelog, table, options)) return;
      changelog.prepare(statement('backfill/close')).run({ table: table.name });
      knowDifference(changelog, table, looked === 'unexplained' ? difference : 0);
      if (looked === 'unfinished') markVanished(changelog, table);
    },
  });
  return { table: table.name, rows, versions };
}

/**
 * Makes tombstones of the versions whose rows a REPLACE evicted. Where that does not explain what the count says, the
 * whole table is to be compared; where the app wrote all the while, the gap stays open.
 */
async function closeEvictions(
  changelog: Changelog,
  transactions: Transactions,
  table: ReplicatedTable,
  options: GapOptions,
): Promise<void> {
  await backfillVanished(changelog, transactions, table, {
    ...options,
    at: options.now(),
    expected: (known) => known,
    end: (looked) => {
      if (hasOtherGap(changelog, table, options) || looked === 'unfinished') return;
      const next = looked === 'adds up' ? 'backfill/close' : 'backfill/compare-anew';
      changelog.prepare(statement(next)).run({ table: table.name });
    },
  });
}

interface Batch {
  readonly rows: number;
  readonly isLast: boolean;
}

/** The next batch; null where another process has done the rest, or a new gap starts the comparison over. */
function nextBatch(changelog: Changelog, table: ReplicatedTable, options: GapOptions): Batch | null {
  if (hasOtherGap(changelog, table, options) || stateOf(changelog, table)?.done === 1) return null;
  const rows = appendBatch(changelog, table, options.batchRows);
  return { rows, isLast: rows < options.batchRows };
}

function hasOtherGap(changelog: Changelog, table: ReplicatedTable, { gaps }: Pick<Gap, 'gaps'>): boolean {
  return stateOf(changelog, table)?.gaps !== gaps;
}

function appendBatch(changelog: Changelog, table: ReplicatedTable, limit: number): number {
  const after = inIndexOrder(table, savedKey(changelog, table));
  const insert = changelog.prepare(appendSql(table, after));
  const result = insert.run([...bindings(after ?? []), BigInt(limit)]);
  if (result.changes > 0) {
    saveProgress(changelog, table, exactKey(changelog, table, Number(result.lastInsertRowid)));
  }
  return result.changes;
}

function inIndexOrder(table: ReplicatedTable, key: readonly SqlValue[] | null): SqlValue[] | null {
  return key === null ? null : keyInIndexOrder(table).map((column) => key[table.key.indexOf(column)] ?? null);
}

/** `after` is a key in the order of its index; its values are bound, and then how many rows. */
function appendSql(table: ReplicatedTable, after: readonly SqlValue[] | null): Sql {
  const keyColumns = table.key.map((column) => fragment('w.{{name}}', { name: identifier(column.name) }));
  const order = joinSql(keyInIndexOrder(table).map(underIndex), ', ');
  const whole = keyColumns.map((column) => fragment('{{column}} IS NOT NULL', { column }));
  const values = (after ?? []).map((value) => placeholder(value));
  return template('backfill/append-batch', {
    recordColumns: joinSql(recordColumns(table.key.length), ', '),
    tableName: literal(table.name),
    keyColumns: joinSql(keyColumns, ', '),
    table: identifier(table.name),
    keyIsWhole: joinSql(whole, ' AND '),
    afterKey:
      after === null
        ? fragment('')
        : fragment('AND ({{order}}) > ({{values}})', { order, values: joinSql(values, ', ') }),
    order,
  });
}

interface State {
  /** The key after which the comparison goes on, JSON; null at its start, and where it is done. */
  readonly afterKey: string | null;
  readonly done: number;
  readonly gaps: number;
}

function stateOf(changelog: Changelog, table: ReplicatedTable): State | undefined {
  return changelog.prepare(statement('backfill/state')).get({ table: table.name }) as State | undefined;
}

function savedKey(changelog: Changelog, table: ReplicatedTable): SqlValue[] | null {
  const saved = stateOf(changelog, table)?.afterKey;
  if (saved == null) return null;
  return (JSON.parse(saved) as unknown[]).map((value) => fromWire(value) ?? null);
}

function saveProgress(changelog: Changelog, table: ReplicatedTable, key: readonly SqlValue[]): void {
  const afterKey = JSON.stringify(key.map(toWire));
  changelog.prepare(statement('backfill/save-progress')).run({ table: table.name, afterKey });
}
