import { bindings, placeholder, placesOf } from '../database/bind.js';
import { keyHash, keyHashCall, type CleanValue } from '../database/key-hash.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { recordColumns, recordColumnsOf, rowMatches } from '../database/record-columns.js';
import { fragment, identifier, joinSql, template, type Sql } from '../sql/template.js';
import { RawText, type SqlValue } from '../wire/value.js';
import { isUtf8 } from 'node:buffer';
import type { Changelog } from './changelog.js';

/** Columns of the source named `w`, as they are. */
export function rowColumns(columns: readonly string[]): Sql {
  return joinSql(
    columns.map((name) => fragment('w.{{name}}', { name: identifier(name) })),
    ', ',
  );
}

/** The same columns as bytes, for text that JavaScript can't hold. */
export function rowBytes(columns: readonly string[]): Sql {
  return joinSql(
    columns.map((name) => fragment('CAST(w.{{name}} AS BLOB)', { name: identifier(name) })),
    ', ',
  );
}

/** Reads the user's row that a changelog entry names, byte for byte, in the order of `table.columns`. */
export function exactRow(changelog: Changelog, table: ReplicatedTable, entryId: number): SqlValue[] {
  const sql = template('row/of-entry', {
    values: rowColumns(table.columns),
    bytes: rowBytes(table.columns),
    table: identifier(table.name),
    rowMatches: rowMatches(table, 'w', 'c'),
  });
  const cells = changelog.prepare(sql).safeIntegers(true).raw(true).get({ id: entryId });
  if (!Array.isArray(cells)) throw new TypeError(`Expected a row of "${table.name}" behind entry ${entryId}`);
  return exactValues(cells as PlainValue[]);
}

/** Reads the key of a changelog entry byte for byte. */
export function exactKey(changelog: Changelog, table: ReplicatedTable, entryId: number): SqlValue[] {
  const bytes = recordColumns(table.key.length).map((column) =>
    fragment('CAST(c.{{column}} AS BLOB)', { column }),
  );
  const sql = template('row/key-of-entry', {
    recordColumns: recordColumnsOf(table, 'c'),
    recordBytes: joinSql(bytes, ', '),
  });
  const cells = changelog.prepare(sql).safeIntegers(true).raw(true).get({ id: entryId });
  if (!Array.isArray(cells)) throw new TypeError(`Expected entry ${entryId} in the changelog`);
  return exactValues(cells as PlainValue[]);
}

/** By which the version of a row is found. */
export function hashOfKey(changelog: Changelog, { name }: ReplicatedTable, key: readonly SqlValue[]): number {
  if (key.every(isClean)) return keyHash(name, key);
  const hash = changelog.prepareAs(`hash ${name}\0${placesOf(key)}`, () =>
    template('row/hash-of-key', { hash: keyHashCall(name, joinSql(key.map(placeholder), ', ')) }),
  );
  return (hash.get(bindings(key)) as { hash: number }).hash;
}

function isClean(value: SqlValue): value is CleanValue {
  return !(value instanceof RawText);
}

/** What better-sqlite3 returns with safe integers. */
export type PlainValue = Exclude<SqlValue, RawText>;

/** Joins values and their bytes (the first and the second half of a row) to exact values. */
export function exactValues(cells: readonly PlainValue[]): SqlValue[] {
  const count = cells.length / 2;
  return cells.slice(0, count).map((value, index) => {
    if (typeof value !== 'string') return value;
    const bytes = cells[count + index] as Uint8Array;
    return isUtf8(bytes) || isUtf16Of(value, bytes) ? value : new RawText(bytes);
  });
}

/** A database may hold its text as UTF-16; then its bytes are not those that travel. */
function isUtf16Of(text: string, bytes: Uint8Array): boolean {
  const utf16 = Buffer.from(text, 'utf16le');
  return utf16.equals(bytes) || utf16.swap16().equals(bytes);
}
