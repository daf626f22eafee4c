import { recordColumns, recordColumnsOf, rowMatches } from '../database/record-columns.js';
import type { ReplicatedTable } from '../database/replicable.js';
import type { Transactions } from '../database/transactions.js';
import { fragment, identifier, joinSql, literal, statement, template, type Sql } from '../sql/template.js';
import { bindings, placeholder } from '../database/bind.js';
import { fromWire, toWire, type SqlValue } from '../wire/value.js';
import type { Changelog } from './changelog.js';
import { countsAddUp, resetCounts } from './evictions.js';
import { afterFold } from './fold-all.js';
import { headOf } from './marks.js';
import { exactKey } from './row.js';

export interface BackfillOptions {
  /** Rows that one transaction enters at most. */
  readonly batchRows: number;
  readonly maxSkewMs: number;
  readonly now: () => number;
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
  let rows = 0;
  let versions = 0;
  for (;;) {
    const batch = await transactions.run(() => appendBatch(changelog, table, options.batchRows));
    versions += await foldAll(changelog, transactions, options);
    rows += batch;
    options.onProgress(table.name, rows);
    if (batch < options.batchRows) break;
  }
  versions += await backfillVanished(changelog, transactions, table, { ...options, at: 0 });
  await transactions.run(() => {
    saveProgress(changelog, table, null, true);
    resetCounts(changelog, table);
  });
  return { table: table.name, rows, versions };
}

/**
 * Makes tombstones of the versions whose rows a REPLACE evicted. Where that does not explain what the count says, the
 * whole table is to be compared.
 */
export async function closeEvictions(
  changelog: Changelog,
  transactions: Transactions,
  table: ReplicatedTable,
  options: BackfillOptions,
): Promise<void> {
  await backfillVanished(changelog, transactions, table, { ...options, at: options.now() });
  await transactions.run(() => {
    changelog.prepare(statement('backfill/close-gap')).run({ table: table.name });
    if (countsAddUp(changelog, table)) return;
    changelog.prepare(statement('backfill/widen-gap')).run({ table: table.name });
  });
}

function appendBatch(changelog: Changelog, table: ReplicatedTable, limit: number): number {
  const after = savedKey(changelog, table);
  const insert = changelog.prepare(appendSql(table, after, limit));
  const result = insert.run(bindings(after ?? []));
  if (result.changes > 0) {
    const lastKey = exactKey(changelog, table, Number(result.lastInsertRowid));
    saveProgress(changelog, table, lastKey, false);
  }
  return result.changes;
}

function appendSql(table: ReplicatedTable, after: readonly SqlValue[] | null, limit: number): Sql {
  const keyColumns = table.key.map((column) => fragment('w.{{name}}', { name: identifier(column.name) }));
  const list = joinSql(keyColumns, ', ');
  const whole = keyColumns.map((column) => fragment('{{column}} IS NOT NULL', { column }));
  const values = (after ?? []).map((value) => placeholder(value));
  return template('backfill/append-batch', {
    recordColumns: joinSql(recordColumns(table.key.length), ', '),
    tableName: literal(table.name),
    keyColumns: list,
    table: identifier(table.name),
    keyIsWhole: joinSql(whole, ' AND '),
    afterKey:
      after === null
        ? fragment('')
        : fragment('AND ({{list}}) > ({{values}})', { list, values: joinSql(values, ', ') }),
    limit: fragment(String(limit)),
  });
}

/** Enters versions whose rows went unseen, at the time `at` (ms), by stretches of the log. */
async function backfillVanished(
  changelog: Changelog,
  transactions: Transactions,
  table: ReplicatedTable,
  options: BackfillOptions & { readonly at: number },
): Promise<number> {
  const head = headOf(changelog.database);
  let versions = 0;
  for (let after = 0; after < head;) {
    const last = Math.min(endOfStretch(changelog, after, options.batchRows) ?? head, head);
    const stretch = { after, last, at: options.at };
    const found = await transactions.run(() => appendVanished(changelog, table, stretch));
    if (found > 0) versions += await foldAll(changelog, transactions, options);
    after = last;
  }
  return versions;
}

/** The log id up to which so many entries follow; null where the log ends before. */
function endOfStretch(changelog: Changelog, after: number, entries: number): number | null {
  const row = changelog.prepare(statement('backfill/stretch')).get({ after, entries }) as
    { last: number } | undefined;
  return row?.last ?? null;
}

/** Enters the versions of one stretch of the log whose rows went unseen; how many. Call in a write transaction. */
export function appendVanished(
  changelog: Changelog,
  table: ReplicatedTable,
  stretch: { readonly after: number; readonly last: number; readonly at: number },
): number {
  const sql = template('backfill/append-vanished', {
    recordColumns: joinSql(recordColumns(table.key.length), ', '),
    entryColumns: recordColumnsOf(table, 'c'),
    tableName: literal(table.name),
    table: identifier(table.name),
    rowMatches: rowMatches(table, 'w', 'c'),
  });
  return changelog.prepare(sql).run(stretch).changes;
}

/** Folds what was entered; the versions made. */
async function foldAll(
  changelog: Changelog,
  transactions: Transactions,
  { now, maxSkewMs }: BackfillOptions,
): Promise<number> {
  const folding = {
    run: <T>(work: () => T): Promise<T> => transactions.run(work),
    boxMs: () => transactions.boxMs,
    changelog: () => changelog,
    clock: () => ({ nowMs: now(), maxSkewMs }),
  };
  const { folded } = await afterFold(folding, () => null);
  return folded.versions;
}

function savedKey(changelog: Changelog, table: ReplicatedTable): SqlValue[] | null {
  const row = changelog.prepare(statement('backfill/progress')).get({ table: table.name }) as
    { afterKey: string | null; done: number } | undefined;
  if (row?.afterKey == null || row.done === 1) return null;
  return (JSON.parse(row.afterKey) as unknown[]).map((value) => fromWire(value) ?? null);
}

function saveProgress(
  changelog: Changelog,
  table: ReplicatedTable,
  key: SqlValue[] | null,
  done: boolean,
): void {
  changelog.prepare(statement('backfill/save-progress')).run({
    table: table.name,
    afterKey: key === null ? null : JSON.stringify(key.map(toWire)),
    done: done ? 1 : 0,
  });
}
