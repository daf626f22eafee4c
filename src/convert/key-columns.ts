import type { Database } from 'better-sqlite3';
import { findTable, type Column, type Table } from '../database/table.js';
import { SyncError } from '../errors.js';
import { identifier, statement, template } from '../sql/template.js';

/** A column that is said to hold keys of a table, whatever the schema says: `--reference`. */
export interface NamedReference {
  readonly table: string;
  readonly column: string;
  /** Null: the one table that is converted. */
  readonly parent: string | null;
}

/** Reads `TABLE.COLUMN` or `TABLE.COLUMN=PARENT`; names may hold dots. Throws with exit code 2. */
export function namedReference(tables: readonly Table[], text: string): NamedReference {
  const at = text.lastIndexOf('=');
  const [place, parent] = at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
  const dots = [...place.matchAll(/\./g)].map(({ index }) => index);
  for (const dot of dots) {
    const table = findTable(tables, place.slice(0, dot));
    if (table !== undefined) return { table: table.name, column: place.slice(dot + 1), parent };
  }
  throw new SyncError('usage', `--reference ${text}: there is no such table`, {
    hint: 'Expected TABLE.COLUMN, or TABLE.COLUMN=PARENT with a table of --table.',
    exitCode: 2,
  });
}

/** For each table (its name in the schema) the columns to be converted, each with the table whose keys it holds. */
export type KeyColumns = ReadonlyMap<string, ReadonlyMap<string, string>>;

interface ForeignKey {
  readonly child: Table;
  readonly column: string;
  readonly parent: Table;
  readonly key: string;
}

/**
 * Finds every column that holds keys of these tables: their own, those that refer to them by a foreign key, directly or
 * through another column, and those that are named. Throws with exit code 2 where a table has no such key, or a column
 * would hold the keys of two.
 */
export function findKeyColumns(
  database: Database,
  tables: readonly Table[],
  wanted: readonly Table[],
  named: readonly NamedReference[],
): KeyColumns {
  const found = new Map<string, Map<string, string>>();
  const foreignKeys = tables
    .filter(({ kind }) => kind === 'table')
    .flatMap((table) => foreignKeysOf(database, tables, table));

  const note = (table: Table, columnName: string, parent: string): boolean => {
    const column = requireColumn(table, columnName);
    const columns = found.get(table.name) ?? new Map<string, string>();
    const known = columns.get(column.name);
    if (known === parent) return false;
    if (known !== undefined) throw twoParents(table, column, known, parent);
    found.set(table.name, columns.set(column.name, parent));
    return true;
  };

  const spread = (): void => {
    for (let changed = true; changed;) {
      changed = false;
      for (const { child, column, parent, key } of foreignKeys) {
        const owner = found.get(parent.name)?.get(key);
        if (owner !== undefined && note(child, column, owner)) changed = true;
      }
    }
  };

  const isOwnKeyElsewhere = (table: Table, key: string): boolean =>
    foreignKeys.some(
      (each) =>
        each.child === table && each.column === key && each.parent !== table && wanted.includes(each.parent),
    );
  for (const table of wanted) {
    const key = integerKeyOf(table);
    // A key that is another table's key too is converted as that one is.
    if (!isOwnKeyElsewhere(table, key)) note(table, key, table.name);
  }
  for (const { table, column, parent } of named) {
    note(requireTable(tables, table), column, parentOf(wanted, parent, `${table}.${column}`).name);
  }
  spread();
  return found;
}

/** Throws where a table has no key of one integer column. */
export function integerKeyOf(table: Table): string {
  const [key, ...more] = table.primaryKey;
  if (key === undefined) throw refused(table, 'has no primary key');
  if (more.length > 0) {
    throw refused(
      table,
      `has a key of ${table.primaryKey.length} columns; name the tables that it refers to`,
    );
  }
  const column = requireColumn(table, key);
  if (!isInteger(column))
    throw refused(table, `has the key "${key}" of type ${column.declaredType || 'none'} already`);
  return column.name;
}

/** Throws where a key holds something else than integers: on the way back it would be taken for a new row's UUID. */
export function requireIntegers(database: Database, table: Table): void {
  if (table.rowidKey) return;
  const key = integerKeyOf(table);
  const sql = template('convert/other-keys', { table: identifier(table.name), column: identifier(key) });
  const rows = database.prepare<[], { rows: number }>(sql).get()?.rows ?? 0;
  if (rows > 0) throw refused(table, `has ${rows} rows whose key "${key}" is no integer`);
}

export function requireTable(tables: readonly Table[], name: string): Table {
  const table = findTable(tables, name);
  if (table?.kind === 'table') return table;
  const known = tables.filter(({ kind }) => kind === 'table').map((each) => each.name);
  throw new SyncError(
    'table_unknown',
    table === undefined
      ? `there is no table "${name}"`
      : `"${name}" is no ordinary table but a ${table.kind}`,
    { hint: `Tables: ${known.join(', ')}.`, exitCode: 2 },
  );
}

/** SQLite's rule for INTEGER affinity. */
export function isInteger({ declaredType }: Column): boolean {
  return declaredType.toUpperCase().includes('INT');
}

/** SQLite's rule for TEXT affinity. */
export function isText(column: Column): boolean {
  return !isInteger(column) && /CHAR|CLOB|TEXT/i.test(column.declaredType);
}

export function requireColumn(table: Table, name: string): Column {
  const column = table.columns.find((each) => each.name.toLowerCase() === name.toLowerCase());
  if (column === undefined) throw refused(table, `has no column "${name}"`);
  if (column.generated) throw refused(table, `computes its column "${name}", which can't hold a new key`);
  return column;
}

function foreignKeysOf(database: Database, tables: readonly Table[], child: Table): ForeignKey[] {
  const rows = database
    .prepare<[{ table: string }], { child: string; parent: string; key: string | null; id: number }>(
      statement('convert/foreign-keys'),
    )
    .all({ table: child.name });
  return rows.flatMap((row, place) => {
    const parent = findTable(tables, row.parent);
    if (parent?.kind !== 'table') return [];
    const position = rows.slice(0, place).filter(({ id }) => id === row.id).length;
    const key = row.key ?? parent.primaryKey[position];
    const column = child.columns.find(({ name }) => name.toLowerCase() === row.child.toLowerCase());
    const owner = parent.columns.find(({ name }) => name.toLowerCase() === key?.toLowerCase());
    return column === undefined || owner === undefined
      ? []
      : [{ child, column: column.name, parent, key: owner.name }];
  });
}

function parentOf(wanted: readonly Table[], name: string | null, reference: string): Table {
  const [only, ...more] = wanted;
  const parent = name === null ? (more.length === 0 ? only : undefined) : findTable(wanted, name);
  if (parent !== undefined) return parent;
  throw new SyncError(
    'usage',
    name === null
      ? `--reference ${reference} does not say whose keys it holds`
      : `--reference ${reference}=${name}: "${name}" is not one of the tables that are converted`,
    { hint: `Write --reference ${reference}=TABLE, with a table of --table.`, exitCode: 2 },
  );
}

function twoParents(table: Table, column: Column, one: string, other: string): SyncError {
  return refused(table, `refers by its column "${column.name}" to both "${one}" and "${other}"`);
}

function refused({ name }: Table, why: string): SyncError {
  return new SyncError('not_convertible', `table "${name}" ${why}`, {
    hint: 'Nothing was changed. See docs/convert-ids.md.',
    exitCode: 2,
  });
}
