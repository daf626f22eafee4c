import type { Database } from 'better-sqlite3';
import { keyHashCall } from '../database/key-hash.js';
import { keyInIndexOrder, type ReplicatedTable } from '../database/replicable.js';
import { recordColumns, rowMatches } from '../database/record-columns.js';
import { fragment, identifier, joinSql, literal, statement, template, type Sql } from '../sql/template.js';

/*
 * Copies from the attached database `source` into the empty tables of the main one, within one transaction. Like the
 * feed it leaves out rows and versions that contradict each other: what puts them right gives them a new log id.
 */

/** To group sorts the whole log; beyond so many tables that costs less than to go through it for each. */
const FEW_TABLES = 4;

/** A table to be copied. */
export interface Copied {
  readonly table: ReplicatedTable;
  /** Every row has its version, and every version that is no tombstone its row. */
  readonly agrees: boolean;
  /** Versions of rows that are there. */
  readonly live: number;
}

/** Looks which tables can be taken as they are. */
export function inspectSource(database: Database, tables: readonly ReplicatedTable[]): Copied[] {
  const each = () =>
    tables.map(({ name }) => template('snapshot/live-of-table', { tableName: literal(name) }));
  const isFew = tables.length > 0 && tables.length <= FEW_TABLES;
  const sql = isFew ? joinSql(each(), ' UNION ') : statement('snapshot/live');
  const rows = database.prepare<[], { name: string; live: number }>(sql).all();
  const live = new Map(rows.map((row) => [row.name, row.live]));
  return tables.map((table) => {
    const versions = live.get(table.name) ?? 0;
    const agrees = isComplete(database, table) && countRows(database, table) === versions;
    return { table, agrees, live: versions };
  });
}

function isComplete(database: Database, { name }: ReplicatedTable): boolean {
  const sql = statement('snapshot/complete');
  return database.prepare<[{ table: string }], { found: number }>(sql).get({ table: name })?.found === 1;
}

function countRows(database: Database, { name }: ReplicatedTable): number {
  const sql = template('snapshot/rows', { table: identifier(name) });
  return database.prepare<[], { rows: number }>(sql).get()?.rows ?? 0;
}

/** Copies what is known of authors, of the other replicas, and of what was pruned; `origin` is the source's own. */
export function copyGroup(database: Database, origin: string): void {
  database.exec(statement('snapshot/copy-group'));
  database.prepare(statement('changelog/know-origin')).run({ name: origin });
}

/** Copies the versions; `origin` is the source's own. Call after `copyGroup` and before `copyRows`. */
export function copyEntries(database: Database, copied: readonly Copied[], origin: string): void {
  const columns = recordColumns(Math.max(1, ...copied.map(({ table }) => table.key.length)));
  const sql = template('snapshot/copy-entries', {
    recordColumns: joinSql(columns, ', '),
    entryColumns: joinSql(
      columns.map((column) => fragment('c.{{column}}', { column })),
      ', ',
    ),
    kept: joinSql(copied.map(keptEntries), ' OR '),
  });
  database.exec(statement('migrate/drop-row-index'));
  database.prepare(sql).run({ origin });
  database.exec(statement('migrate/create-row-index'));
}

function keptEntries({ table, agrees }: Copied): Sql {
  const tableName = literal(table.name);
  if (agrees) return fragment('c.table_name = {{tableName}}', { tableName });
  return template('snapshot/agrees', {
    tableName,
    table: identifier(table.name),
    rowMatches: rowMatches(table, 'w', 'c'),
  });
}

/** Whether SQLite can copy the records as they are: every column crosses, and none is computed. */
export function isVerbatim({ table, agrees }: Copied): boolean {
  return agrees && table.columns.length === table.table.columns.length;
}

/** Returns how many rows were copied. */
export function copyRows(database: Database, copied: Copied): number {
  const { table, agrees } = copied;
  const name = identifier(table.name);
  if (isVerbatim(copied)) {
    database.exec(template('snapshot/copy-table', { table: name }));
    return copied.live;
  }
  const sql = template('snapshot/copy-rows', {
    table: name,
    columns: namesOf(table.columns),
    kept: agrees ? fragment('1') : hasVersion(table),
    key: namesOf(keyInIndexOrder(table).map((column) => column.name)),
  });
  return database.prepare(sql).run().changes;
}

function hasVersion(table: ReplicatedTable): Sql {
  return template('snapshot/has-version', {
    tableName: literal(table.name),
    keyHash: keyHashCall(
      table.name,
      joinSql(
        table.key.map(({ name }) => fragment('w.{{name}}', { name: identifier(name) })),
        ', ',
      ),
    ),
    rowMatches: rowMatches(table, 'w', 'c'),
  });
}

function namesOf(columns: readonly string[]): Sql {
  return joinSql(columns.map(identifier), ', ');
}
