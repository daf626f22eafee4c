import { readStates } from '../apply/row-state.js';
import { tableNamed, type Changelog } from '../changelog/changelog.js';
import { readStretch, sumOf } from '../changelog/stretch.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { SyncError } from '../errors.js';
import {
  keyToWire,
  versionToWire,
  type TableShape,
  type WireListed,
  type WireState,
} from '../wire/fingerprints.js';
import type { WireChange } from '../wire/change.js';
import { MAX_PAGE_BYTES } from '../wire/page.js';
import type { RowState } from '../wire/row-state.js';
import { sumToWire, type WireSum } from '../wire/sums.js';
import { fromWire, toWire, type SqlValue, type WireValue } from '../wire/value.js';

type WireKey = readonly WireValue[];

/** Rows of a range of keys, in columns of the asking side's choice. */
export interface StretchRequest {
  readonly table: string;
  /** Null: all. The key's columns count always. */
  readonly columns: readonly string[] | null;
  readonly after: WireKey | null;
  readonly upto: WireKey | null;
  readonly limit: number;
}

export interface StretchResponse extends WireSum {
  /** The last key that was read; null where there is none after it in the range. */
  readonly last: WireKey | null;
}

export interface StatesRequest {
  readonly table: string;
  readonly columns: readonly string[] | null;
  readonly keys: readonly WireKey[];
  /** Whether the rows themselves are wanted too. */
  readonly changes: boolean;
}

export function shapesOf(changelog: Changelog): TableShape[] {
  return changelog.tables.map(({ name, key, columns }) => ({
    name,
    key: key.map((column) => column.name),
    columns,
  }));
}

export function stretchOf(changelog: Changelog, request: StretchRequest): StretchResponse {
  const rows = rowsOf(changelog, request);
  const last = rows.length < request.limit ? null : (rows.at(-1)?.key ?? null);
  return { ...sumToWire(sumOf(rows)), last: last === null ? null : keyToWire(last) };
}

export function listOf(changelog: Changelog, request: StretchRequest): WireListed[] {
  return rowsOf(changelog, request).map(({ key, fingerprint, version }) => ({
    key: keyToWire(key),
    fingerprint,
    version: versionToWire(version),
  }));
}

/** How rows stand; with `changes`, as many of the first as a page would hold. */
export function statesOf(changelog: Changelog, request: StatesRequest): WireState[] {
  const table = required(changelog, request.table);
  const keys = request.keys.map((key) => decodedKey(table, key));
  const states: WireState[] = [];
  let bytes = 0;
  for (const { state, row } of readStates(changelog, table, keys, columnsOf(table, request.columns))) {
    const { version, key, ...facts } = state;
    const change = request.changes ? changeOf(table, state, row) : null;
    const wire = { key: keyToWire(key), ...facts, version: versionToWire(version) };
    bytes += change === null ? 0 : Buffer.byteLength(JSON.stringify(change));
    if (bytes > MAX_PAGE_BYTES && states.length > 0) break;
    states.push(change === null ? wire : { ...wire, change });
  }
  return states;
}

/** As it would travel in a page; null where it is not known, or has a later version to come. */
function changeOf(
  table: ReplicatedTable,
  { key, version, unfolded }: RowState,
  row: ReadonlyMap<string, SqlValue> | null,
): WireChange | null {
  if (version === null || unfolded || (row === null) !== (version.fingerprint === '')) return null;
  return {
    seq: 0,
    table: table.name,
    operation: row === null ? 'delete' : 'upsert',
    key: keyToWire(key),
    ...(versionToWire(version) ?? { stamp: version.stamp, origin: version.origin }),
    record: row === null ? null : Object.fromEntries([...row].map(([name, value]) => [name, toWire(value)])),
  };
}

function rowsOf(changelog: Changelog, request: StretchRequest) {
  const table = required(changelog, request.table);
  const range = {
    after: request.after === null ? null : decodedKey(table, request.after),
    upto: request.upto === null ? null : decodedKey(table, request.upto),
  };
  const columns = columnsOf(table, request.columns);
  return readStretch(changelog, table, range, { columns, limit: request.limit });
}

function required(changelog: Changelog, name: string): ReplicatedTable {
  const table = tableNamed(changelog, name);
  if (table !== undefined) return table;
  throw badQuery(`table names "${name}", which is not replicated here`);
}

/** The key's columns and those that are asked for, in the table's own order. */
function columnsOf(table: ReplicatedTable, wanted: readonly string[] | null): readonly string[] {
  if (wanted === null) return table.columns;
  const names = new Set([...wanted, ...table.key.map(({ name }) => name)].map((name) => name.toLowerCase()));
  return table.columns.filter((name) => names.has(name.toLowerCase()));
}

function decodedKey(table: ReplicatedTable, key: WireKey): SqlValue[] {
  if (key.length !== table.key.length) {
    throw badQuery(`a key of "${table.name}" has ${table.key.length} values, not ${key.length}`);
  }
  return key.map((value) => {
    const decoded = fromWire(value);
    if (decoded === undefined) throw badQuery('a key holds what is no value of the protocol');
    return decoded;
  });
}

function badQuery(message: string): SyncError {
  return new SyncError('bad_query', `the query is not valid: ${message}`, {
    hint: 'The parameters of /sync/fingerprint stand in docs/protocol.md.',
  });
}
