import type { Changelog } from '../changelog/changelog.js';
import { liveChange, noteLive } from '../changelog/evictions.js';
import { settleSeen } from '../changelog/settle.js';
import { recordColumns } from '../database/record-columns.js';
import { columnNamed, type ReplicatedTable } from '../database/replicable.js';
import { fragment, identifier, joinSql, literal, statement, template, type Sql } from '../sql/template.js';
import type { Change } from '../wire/page.js';
import type { SqlValue } from '../wire/value.js';
import { isTombstone, type Version } from '../wire/version.js';
import { bindings, placeholder } from '../database/bind.js';
import { rowIs } from './row-is.js';
import type { LocalVersion, WholeRow } from './local.js';

/** Columns of a change that are written here, in the change's order. */
export interface Writable {
  readonly names: readonly string[];
  readonly values: readonly SqlValue[];
}

/** What a change brings, with the columns of the row here that it does not. */
export function withKept(received: Writable, kept: WholeRow): Writable {
  const extra = [...kept].filter(([name]) => !received.names.includes(name));
  return {
    names: [...received.names, ...extra.map(([name]) => name)],
    values: [...received.values, ...extra.map(([, value]) => value)],
  };
}

/** Inserts the row of a change; false where the table ignores it, while another rule of the table's makes it throw. */
export function insertRow(changelog: Changelog, table: ReplicatedTable, writable: Writable): boolean {
  const sql = template('apply/insert-row', {
    table: identifier(table.name),
    columns: joinSql(writable.names.map(identifier), ', '),
    values: joinSql(
      writable.values.map((value, index) => placeholder(value, index + 1)),
      ', ',
    ),
  });
  return changelog.prepare(sql).run(bindings(writable.values)).changes > 0;
}

/** Updates the row's columns but what its key says already; false where there is no such row. */
export function updateRow(
  changelog: Changelog,
  table: ReplicatedTable,
  key: readonly SqlValue[],
  writable: Writable,
): boolean {
  const settled = new Set(
    table.key.flatMap(({ name }, index) => (mayBeRewritten(table, name, key[index]) ? [] : [name])),
  );
  const places = writable.names.flatMap((name, index) => (settled.has(name) ? [] : [index]));
  // A table of key columns alone has nothing to update; setting one to itself still tells whether the row is there.
  const assignments =
    places.length === 0
      ? table.key
          .slice(0, 1)
          .map((column) => fragment('{{name}} = {{name}}', { name: identifier(column.name) }))
      : places.map((index, position) => assignment(writable, index, position + 1));
  const sql = template('apply/update-row', {
    table: identifier(table.name),
    assignments: joinSql(assignments, ', '),
    rowIs: rowIs(table, key, places.length + 1),
  });
  const values = [...places.map((index) => writable.values[index] ?? null), ...key];
  return changelog.prepare(sql).run(bindings(values)).changes > 0;
}

/** Whether a key column can hold this number in two ways: 1 and 1.0 are one key, and two values without an affinity. */
function mayBeRewritten({ table }: ReplicatedTable, name: string, value: SqlValue | undefined): boolean {
  if (typeof value !== 'bigint' && typeof value !== 'number') return false;
  const type = columnNamed(table, name)?.declaredType.toUpperCase() ?? '';
  if (table.strict) return type === 'ANY';
  return type === '' || (type.includes('BLOB') && !/INT|CHAR|CLOB|TEXT/.test(type));
}

function assignment(writable: Writable, index: number, position: number): Sql {
  return fragment('{{name}} = {{value}}', {
    name: identifier(writable.names[index] ?? ''),
    value: placeholder(writable.values[index], position),
  });
}

export function deleteRow(changelog: Changelog, table: ReplicatedTable, key: readonly SqlValue[]): void {
  const sql = template('apply/delete-row', { table: identifier(table.name), rowIs: rowIs(table, key) });
  changelog.prepare(sql).run(bindings(key));
}

/** Enters the change's version in the changelog, with its own stamp and origin, in place of the local one. */
export function enterVersion(
  changelog: Changelog,
  table: ReplicatedTable,
  change: Pick<Change, 'key' | 'version' | 'record'>,
  replaced: LocalVersion | null,
): void {
  if (replaced !== null) {
    changelog.prepare(statement('changelog/delete-entry')).run({ id: replaced.entryId });
  }
  const { version, key } = change;
  const count = key.length;
  const sql = template('apply/insert-entry', {
    tableName: literal(table.name),
    recordColumns: joinSql(recordColumns(count), ', '),
    key: joinSql(
      key.map((value, index) => placeholder(value, index + 1)),
      ', ',
    ),
    operation: placeholder(null, count + 1),
    rank: placeholder(null, count + 2),
    stamp: placeholder(null, count + 3),
    floor: placeholder(null, count + 4),
    origin: placeholder(null, count + 5),
    fingerprint: placeholder(null, count + 6),
    seen: placeholder(null, count + 7),
  });
  const values = [
    ...key,
    operationOf(table, change, replaced),
    version.rank,
    version.stamp,
    floorOf(version, replaced),
    changelog.origins.idOf(version.origin),
    version.fingerprint,
    version.seen === null ? null : JSON.stringify(version.seen),
  ];
  changelog.prepare(sql).run(bindings(values));
  settleSeen(changelog, table, () => key, version);
  noteLive(changelog, table, liveChange(replaced?.version.fingerprint ?? null, version.fingerprint));
}

/** What later stamps here have to be above, where the version's own does not say it. */
function floorOf(version: Version, replaced: LocalVersion | null): number | null {
  return replaced !== null && replaced.newestMs > version.stamp ? replaced.newestMs : null;
}

function operationOf(
  table: ReplicatedTable,
  change: Pick<Change, 'record'>,
  replaced: LocalVersion | null,
): string {
  if (change.record === null || isSoftDeleted(table, change.record)) return 'DELETE';
  return replaced === null || isTombstone(replaced.version) ? 'INSERT' : 'UPDATE';
}

function isSoftDeleted(table: ReplicatedTable, record: ReadonlyMap<string, SqlValue>): boolean {
  const column = table.config.softDeleteColumn;
  if (column === null) return false;
  const value = record.get(columnNamed(table.table, column)?.name ?? column) ?? null;
  return value !== null && value !== 0n && value !== 0 && value !== '' && value !== '0' && value !== 'false';
}
