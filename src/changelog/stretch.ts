import { hash } from 'node:crypto';
import { bindingsByPlace, placeholderAt } from '../database/bind.js';
import { sqliteCodeOf } from '../database/open.js';
import { keyHashCall } from '../database/key-hash.js';
import { recordColumns, underIndex } from '../database/record-columns.js';
import { keyInIndexOrder, type KeyColumn, type ReplicatedTable } from '../database/replicable.js';
import { nullableKeyColumns } from '../database/whole-keys.js';
import { fragment, identifier, joinSql, literal, template, type Sql } from '../sql/template.js';
import { fingerprinter } from '../wire/fingerprint.js';
import type { FoundRow } from '../wire/found-row.js';
import type { Sum } from '../wire/sums.js';
import { RawText, type SqlValue } from '../wire/value.js';
import type { Version } from '../wire/version.js';
import type { Changelog } from './changelog.js';
import { isDoubtful } from './fingerprint-function.js';
import { exactValues, rowBytes, rowColumns, type PlainValue } from './row.js';

/** Keys after one and up to another, in the order of the table's key index; null: no bound on that side. */
export interface KeyRange {
  readonly after: readonly SqlValue[] | null;
  readonly upto: readonly SqlValue[] | null;
}

/** Cells of sql/verify/rows.sql before the row. */
const FIXED_CELLS = 5;

/**
 * Reads up to `limit` rows of a range along the key's index, in one transaction. `columns` are those whose content
 * counts; the key's are among them.
 */
export function readStretch(
  changelog: Changelog,
  table: ReplicatedTable,
  range: KeyRange,
  { columns, limit }: { readonly columns: readonly string[]; readonly limit: number },
): FoundRow[] {
  return changelog.database.transaction(() => {
    const bound = { ...bindingsByPlace([...(range.after ?? []), ...(range.upto ?? [])]), limit };
    const fingerprint = fingerprinter(columns);
    const places = table.key.map(({ name }) => columns.indexOf(name));
    const rows = all(changelog, template('verify/rows', holesOf(changelog, table, range, columns)), bound);
    const exact = rows.some((row) => row.some(isDoubtful))
      ? all(changelog, template('verify/row-bytes', holesOf(changelog, table, range, columns)), bound).map(
          exactValues,
        )
      : null;
    return rows.map((row, index) => {
      const values = exact?.[index] ?? row.slice(FIXED_CELLS);
      const key = places.map((place) => values[place] ?? null);
      return { key, fingerprint: fingerprint(values), version: versionOf(changelog, row) };
    });
  })();
}

/** Adds rows to what stands for the content and the versions of a set of rows, whatever their order. */
export function sumOf(rows: readonly FoundRow[]): Sum {
  let content = 0n;
  let versions = 0n;
  for (const { fingerprint, version } of rows) {
    content += BigInt(`0x${fingerprint}`);
    if (version === null) continue;
    const { rank, stamp, origin } = version;
    const text = `${fingerprint} ${rank} ${stamp} ${origin} ${version.fingerprint}`;
    versions += BigInt(`0x${hash('sha256', text, 'hex').slice(0, 16)}`);
  }
  return { rows: rows.length, content, versions };
}

function all(changelog: Changelog, sql: Sql, bound: object): PlainValue[][] {
  return changelog.prepare(sql).safeIntegers(true).raw(true).all(bound) as PlainValue[][];
}

function versionOf(changelog: Changelog, row: readonly PlainValue[]): Version | null {
  const [rank, stamp, origin, fingerprint, seen] = row;
  if (typeof origin !== 'bigint') return null;
  return {
    rank: Number(rank ?? 0),
    stamp: Number(stamp),
    origin: changelog.origins.nameOf(Number(origin)),
    fingerprint: fingerprint as string,
    seen: typeof seen === 'string' ? (JSON.parse(seen) as Record<string, number>) : null,
  };
}

function holesOf(
  changelog: Changelog,
  table: ReplicatedTable,
  range: KeyRange,
  columns: readonly string[],
): Record<string, Sql> {
  const order = keyInIndexOrder(table);
  // A row value with a COLLATE in it is not looked up in an index, so it stands only where the index has another.
  const collates = order.some((column) => !isOwnCollation(changelog, table, column));
  return {
    rowColumns: rowColumns(columns),
    rowBytes: rowBytes(columns),
    table: identifier(table.name),
    tableName: literal(table.name),
    keyHash: keyHashCall(table.name, joinSql(table.key.map(plain), ', ')),
    recordIsKey: recordIsKey(table),
    inRange: inRange(table, range, collates),
    keyOrder: joinSql(order.map(underIndex), ', '),
  };
}

function plain({ name }: KeyColumn): Sql {
  return fragment('w.{{name}}', { name: identifier(name) });
}

/** Whether the index compares a column as the column's own collation does. */
function isOwnCollation(
  changelog: Changelog,
  table: ReplicatedTable,
  { name, collation }: KeyColumn,
): boolean {
  const sql = template('verify/own-collation', { column: identifier(name), table: identifier(table.name) });
  let own: { letters: number; blanks: number };
  try {
    own = changelog.prepare(sql).get() as typeof own;
  } catch (error) {
    // A collation of the application's is not known here.
    if (sqliteCodeOf(error)?.startsWith('SQLITE_ERROR') !== true) throw error;
    return false;
  }
  const found = own.letters === 1 ? 'NOCASE' : own.blanks === 1 ? 'RTRIM' : 'BINARY';
  return found === collation.toUpperCase();
}

/** The entry of a row, by the index over record columns, which have neither a type nor another collation than BINARY. */
function recordIsKey(table: ReplicatedTable): Sql {
  const columns = recordColumns(table.key.length);
  const terms = table.key.map(({ name }, place) =>
    fragment('c.{{column}} = +w.{{name}}', {
      column: columns[place] ?? fragment(''),
      name: identifier(name),
    }),
  );
  return joinSql(terms, ' AND ');
}

/** Bound values: `:v1` ... for the key after which it begins, then those of the key that is its last. */
function inRange(table: ReplicatedTable, { after, upto }: KeyRange, collates: boolean): Sql {
  const terms = nullableKeyColumns(table).map((name) =>
    fragment('w.{{name}} IS NOT NULL', { name: identifier(name) }),
  );
  if (after !== null) terms.push(...bound(table, fragment('>'), after, 0, collates));
  if (upto !== null) terms.push(...bound(table, fragment('<'), upto, after?.length ?? 0, collates));
  return terms.length === 0 ? fragment('1') : joinSql(terms, ' AND ');
}

/** Keys after one (`>`), or up to one and with it (`<`), whose values are bound from `:v<before + 1>` on. */
function bound(
  table: ReplicatedTable,
  direction: Sql,
  key: readonly SqlValue[],
  before: number,
  collates: boolean,
): Sql[] {
  const order = keyInIndexOrder(table);
  const values = order.map((column) => {
    const place = table.key.indexOf(column);
    return untyped(key[place], before + place + 1);
  });
  const holes = {
    direction,
    columns: joinSql(order.map(collates ? underIndex : plain), ', '),
    values: joinSql(values, ', '),
  };
  const whole =
    direction === '>'
      ? fragment('({{columns}}) > ({{values}})', holes)
      : fragment('({{columns}}) <= ({{values}})', holes);
  const [first] = order;
  const [firstValue] = values;
  if (!collates || first === undefined || firstValue === undefined) return [whole];
  return [
    fragment('{{column}} {{direction}}= {{value}}', {
      column: underIndex(first),
      direction,
      value: firstValue,
    }),
    whole,
  ];
}

/** A cast would lend its type to the column that it is compared with. */
function untyped(value: SqlValue | undefined, position: number): Sql {
  const place = placeholderAt(value, position);
  return value instanceof RawText ? fragment('+{{place}}', { place }) : place;
}
