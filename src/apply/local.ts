import { parseTimestamp } from '../clock/timestamp.js';
import { authorOf, type Changelog } from '../changelog/changelog.js';
import { nextVersion, type Present } from '../changelog/next-version.js';
import { exactValues, hashOfKey, rowBytes, rowColumns, type PlainValue } from '../changelog/row.js';
import { recordColumns } from '../database/record-columns.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { fragment, identifier, joinSql, literal, template, type Sql } from '../sql/template.js';
import { fingerprinter } from '../wire/fingerprint.js';
import { RawText, type SqlValue } from '../wire/value.js';
import { bindings, placeholder, placesOf } from '../database/bind.js';
import { rowIs, rowIsBindings } from './row-is.js';
import { enterVersion } from './write.js';

/** The version that a row has here. */
export interface LocalVersion extends Present {
  /** Its entry in the changelog. */
  readonly entryId: number;
}

interface EntryRow {
  id: number;
  rank: number;
  stamp: number;
  newestMs: number;
  origin: number;
  fingerprint: string;
  seen: string | null;
}

/** The version that the changelog holds of a key; null where it knows none. */
export function findVersion(
  changelog: Changelog,
  table: ReplicatedTable,
  key: readonly SqlValue[],
): LocalVersion | null {
  const find = changelog.prepareAs(`entry ${table.name}\0${placesOf(key)}`, () => entrySql(table, key));
  const row = find.get([hashOfKey(changelog, table, key), ...bindings(key)]) as EntryRow | undefined;
  if (row === undefined) return null;
  return {
    entryId: row.id,
    newestMs: row.newestMs,
    version: {
      rank: row.rank,
      stamp: row.stamp,
      origin: changelog.origins.nameOf(row.origin),
      fingerprint: row.fingerprint,
      seen: row.seen === null ? null : (JSON.parse(row.seen) as Record<string, number>),
    },
  };
}

/** A row as it is here, by replicated column, byte for byte; null where there is none. */
export function findRow(
  changelog: Changelog,
  table: ReplicatedTable,
  key: readonly SqlValue[],
): Map<string, SqlValue> | null {
  return readRow(changelog, table, key, table.columns);
}

/** Every stored column of a row, those that stay local included. */
export type WholeRow = ReadonlyMap<string, SqlValue>;

export function findWholeRow(
  changelog: Changelog,
  table: ReplicatedTable,
  key: readonly SqlValue[],
): WholeRow | null {
  const stored = table.table.columns.filter((column) => !column.generated).map((column) => column.name);
  return readRow(changelog, table, key, stored);
}

function readRow(
  changelog: Changelog,
  table: ReplicatedTable,
  key: readonly SqlValue[],
  columns: readonly string[],
): Map<string, SqlValue> | null {
  const sql = template('apply/row-of-key', {
    values: rowColumns(columns),
    bytes: rowBytes(columns),
    table: identifier(table.name),
    rowIs: rowIs(table, key),
  });
  const cells = changelog.prepare(sql).safeIntegers(true).raw(true).get(rowIsBindings(table, key));
  if (cells === undefined) return null;
  const values = exactValues(cells as PlainValue[]);
  return new Map(columns.map((name, index) => [name, values[index] ?? null]));
}

/** The fingerprint of a row as it is here; empty where there is none. */
export function fingerprintOf(table: ReplicatedTable, row: ReadonlyMap<string, SqlValue> | null): string {
  return row === null ? '' : fingerprinter(table.columns)(table.columns.map((name) => row.get(name) ?? null));
}

/** What applying needs of the clock, in ms. */
export interface ApplyClock {
  readonly nowMs: number;
  readonly maxSkewMs: number;
  /** How far the clock of a peer may differ that is pulled from. */
  readonly abortSkewMs: number;
}

/**
 * Enters a row that was there before the triggers in the changelog: it counts as written at its own timestamp, or at 0,
 * by this instance. A tombstone that stands in the changelog for it goes.
 */
export function adoptLegacyRow(
  changelog: Changelog,
  table: ReplicatedTable,
  key: readonly SqlValue[],
  clock: ApplyClock,
): LocalVersion {
  const row = findRow(changelog, table, key);
  if (row === null) throw new TypeError(`Expected a legacy row in "${table.name}"`);
  const replaced = findVersion(changelog, table, key);
  const claim = { fingerprint: fingerprintOf(table, row), claimedMs: claimOf(table, row) };
  const version = nextVersion(replaced, claim, authorOf(changelog, table), clock);
  if (version === null)
    throw new TypeError(`Expected a row of "${table.name}" that the changelog does not know`);
  enterVersion(changelog, table, { key, version, record: row }, replaced);
  const entered = findVersion(changelog, table, key);
  if (entered === null) throw new TypeError('Expected the version that was just entered');
  return entered;
}

function claimOf(table: ReplicatedTable, row: ReadonlyMap<string, SqlValue>): number {
  const column = table.config.timestampColumn;
  const written = column === null ? null : (row.get(column) ?? null);
  if (written instanceof RawText) return 0;
  return parseTimestamp(written, table.config.timestampFormat) ?? 0;
}

function entrySql(table: ReplicatedTable, key: readonly SqlValue[]): Sql {
  const terms = recordColumns(table.key.length).map((column, index) =>
    fragment('{{column}} = {{value}}', { column, value: placeholder(key[index]) }),
  );
  return template('apply/entry-of-key', {
    tableName: literal(table.name),
    recordIs: joinSql(terms, ' AND '),
  });
}
