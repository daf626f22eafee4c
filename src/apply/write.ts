import type { Changelog } from '../changelog/changelog.js';
import { liveChange, noteLive } from '../changelog/evictions.js';
import { hashOfKey } from '../changelog/row.js';
import { settleSeen } from '../changelog/settle.js';
import { recordColumns } from '../database/record-columns.js';
import { columnNamed, type ReplicatedTable } from '../database/replicable.js';
import { fragment, identifier, joinSql, literal, statement, template, type Sql } from '../sql/template.js';
import type { Change } from '../wire/change.js';
import type { SqlValue } from '../wire/value.js';
import { isTombstone, type Version } from '../wire/version.js';
import { bindable, bindings, placeholder, placesOf, type Bindable } from '../database/bind.js';
import { rowIs, rowIsBindings } from './row-is.js';
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
  return insertRows(changelog, table, [writable]) > 0;
}

/** Inserts rows that have the columns and the kinds of values of the first; returns how many the table did not ignore. */
export function insertRows(
  changelog: Changelog,
  table: ReplicatedTable,
  writables: readonly Writable[],
): number {
  const [first] = writables;
  if (first === undefined) return 0;
  const insert = changelog.prepareAs(`insert ${writables.length} ${shapeOf(table, first)}`, () =>
    template('apply/insert-rows', {
      table: identifier(table.name),
      columns: joinSql(first.names.map(identifier), ', '),
      rows: repeated(fragment('({{values}})', { values: placeholders(first.values) }), writables.length),
    }),
  );
  const values: Bindable[] = [];
  for (const writable of writables) for (const value of writable.values) values.push(bindable(value));
  return insert.run(values).changes;
}

function repeated(part: Sql, count: number): Sql {
  return joinSql(
    Array.from({ length: count }, () => part),
    ', ',
  );
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
  const shape = `${shapeOf(table, writable)}\0${placesOf(key)}\0${places.join()}`;
  const update = changelog.prepareAs(`update ${shape}`, () => updateSql(table, key, writable, places));
  const values = bindings(places.map((index) => writable.values[index] ?? null));
  return update.run([...values, ...rowIsBindings(table, key)]).changes > 0;
}

function updateSql(
  table: ReplicatedTable,
  key: readonly SqlValue[],
  writable: Writable,
  places: readonly number[],
): Sql {
  // A table of key columns alone has nothing to update; setting one to itself still tells whether the row is there.
  const assignments =
    places.length === 0
      ? table.key
          .slice(0, 1)
          .map((column) => fragment('{{name}} = {{name}}', { name: identifier(column.name) }))
      : places.map((index) => assignment(writable, index));
  return template('apply/update-row', {
    table: identifier(table.name),
    assignments: joinSql(assignments, ', '),
    rowIs: rowIs(table, key),
  });
}

/** Names the columns of a table, and the kinds of values that need a place of their own. */
function shapeOf(table: ReplicatedTable, { names, values }: Writable): string {
  return `${table.name}\0${names.join('\0')}\0\0${placesOf(values)}`;
}

function placeholders(values: readonly SqlValue[]): Sql {
  return joinSql(
    values.map((value) => placeholder(value)),
    ', ',
  );
}

/** Whether a key column can hold this number in two ways: 1 and 1.0 are one key, and two values without an affinity. */
function mayBeRewritten({ table }: ReplicatedTable, name: string, value: SqlValue | undefined): boolean {
  if (typeof value !== 'bigint' && typeof value !== 'number') return false;
  const type = columnNamed(table, name)?.declaredType.toUpperCase() ?? '';
  if (table.strict) return type === 'ANY';
  return type === '' || (type.includes('BLOB') && !/INT|CHAR|CLOB|TEXT/.test(type));
}

function assignment(writable: Writable, index: number): Sql {
  return fragment('{{name}} = {{value}}', {
    name: identifier(writable.names[index] ?? ''),
    value: placeholder(writable.values[index]),
  });
}

export function deleteRow(changelog: Changelog, table: ReplicatedTable, key: readonly SqlValue[]): void {
  const remove = changelog.prepareAs(`delete ${table.name}\0${placesOf(key)}`, () =>
    template('apply/delete-row', { table: identifier(table.name), rowIs: rowIs(table, key) }),
  );
  remove.run(rowIsBindings(table, key));
}

/** Enters the change's version in the changelog, with its own stamp and origin, in place of the local one. */
export function enterVersion(
  changelog: Changelog,
  table: ReplicatedTable,
  change: Pick<Change, 'key' | 'version' | 'record' | 'originSeq' | 'via'>,
  replaced: LocalVersion | null,
): void {
  if (replaced !== null) {
    changelog.prepare(statement('changelog/delete-entry')).run({ id: replaced.entryId });
  }
  const { version, key } = change;
  const hash = hashOfKey(changelog, table, key);
  const values: Bindable[] = [];
  pushEntry(values, changelog, table, change, { replaced, hash });
  insertEntries(changelog, table, [key], values);
  settleSeen(changelog, table, () => key, version);
  noteLive(changelog, table, liveChange(replaced?.version.fingerprint ?? null, version.fingerprint));
}

/**
 * Enters the versions of rows that had none here, whose keys are bound as they are and have these hashes, where no
 * conflict is open.
 */
export function enterNewVersions(
  changelog: Changelog,
  table: ReplicatedTable,
  changes: readonly Change[],
  hashes: readonly number[],
): void {
  const values: Bindable[] = [];
  for (const [index, change] of changes.entries())
    pushEntry(values, changelog, table, change, { replaced: null, hash: hashes[index] ?? 0 });
  const keys = changes.map(({ key }) => key);
  insertEntries(changelog, table, keys, values);
  noteLive(changelog, table, changes.length);
}

/** `keys` need the same kinds of places. */
function insertEntries(
  changelog: Changelog,
  table: ReplicatedTable,
  keys: readonly (readonly SqlValue[])[],
  values: readonly Bindable[],
): void {
  const [key = []] = keys;
  const insert = changelog.prepareAs(`enter ${keys.length} ${table.name}\0${placesOf(key)}`, () => {
    const holes = { tableName: literal(table.name), key: placeholders(key) };
    const entry = fragment('({{tableName}}, {{key}}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)', holes);
    return template('apply/insert-entries', {
      recordColumns: joinSql(recordColumns(key.length), ', '),
      entries: repeated(entry, keys.length),
    });
  });
  insert.run(values);
}

/**
 * Appends the places of an entry in order: one list for many rows, since flattening costs as much as writing them. Numbers
 * may be bound as REAL: their columns make them INTEGER.
 */
function pushEntry(
  values: Bindable[],
  changelog: Changelog,
  table: ReplicatedTable,
  change: Pick<Change, 'key' | 'version' | 'record' | 'originSeq' | 'via'>,
  { replaced, hash }: { readonly replaced: LocalVersion | null; readonly hash: number },
): void {
  const { version, key } = change;
  for (const value of key) values.push(bindable(value));
  values.push(
    hash,
    operationOf(table, change, replaced),
    version.rank === 0 ? null : version.rank,
    version.stamp,
    floorOf(version, replaced),
    changelog.origins.idOf(version.origin),
    version.fingerprint === '' ? null : Buffer.from(version.fingerprint, 'hex'),
    version.seen === null ? null : JSON.stringify(version.seen),
    change.originSeq ?? null,
    change.via === undefined ? null : changelog.origins.idOf(change.via),
  );
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
  const value = record.get(column) ?? null;
  return value !== null && value !== 0n && value !== 0 && value !== '' && value !== '0' && value !== 'false';
}
