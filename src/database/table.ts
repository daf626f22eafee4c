import type { Database } from 'better-sqlite3';
import { fragment, identifier, joinSql, statement, template } from '../sql/template.js';
import { isKeyword, tokensOf } from '../sql/tokens.js';

export type TableKind = 'table' | 'view' | 'virtual' | 'shadow';

export interface Column {
  readonly name: string;
  /** As written in the schema, e.g. `VARCHAR(36)`; empty when untyped. */
  readonly declaredType: string;
  readonly notNull: boolean;
  readonly defaultSql: string | null;
  /** 1-based place in the primary key; 0: not part of it. */
  readonly keyPosition: number;
  readonly generated: boolean;
}

export interface UniqueIndex {
  readonly name: string;
  /** True for the index behind the primary key. */
  readonly primary: boolean;
  readonly partial: boolean;
  /** Column names in order; null stands for an expression. */
  readonly columns: readonly (string | null)[];
  readonly collations: readonly string[];
}

/** A table of the user's database as the schema has it now. */
export interface Table {
  readonly name: string;
  readonly kind: TableKind;
  readonly withoutRowid: boolean;
  readonly strict: boolean;
  readonly columns: readonly Column[];
  /** The primary key's columns in key order; empty without one. */
  readonly primaryKey: readonly string[];
  /** True where the key is SQLite's own row number (`INTEGER PRIMARY KEY`), which replicas allocate alike. */
  readonly rowidKey: boolean;
  readonly uniqueIndexes: readonly UniqueIndex[];
  /** True where the schema itself lets a row evict others (`ON CONFLICT REPLACE`). */
  readonly replacesOnConflict: boolean;
}

interface TableRow {
  name: string;
  type: TableKind;
  without_rowid: number;
  strict: number;
  sql: string;
}

interface ColumnRow {
  name: string;
  declared_type: string;
  not_null: number;
  default_sql: string | null;
  key_position: number;
  hidden: number;
}

interface IndexRow {
  name: string;
  origin: string;
  partial: number;
  column_name: string | null;
  collation: string;
}

/** Prefix of every table of ours. */
export const OUR_PREFIX = '_sync_';

/** Reads all tables and views of the main schema but SQLite's own and ours, sorted by name. */
export function readTables(database: Database): Table[] {
  return database
    .prepare<[], TableRow>(statement('schema/tables'))
    .all()
    .filter((row) => !row.name.startsWith(OUR_PREFIX))
    .map((row) => readTable(database, row));
}

/** Reads one table by name; names compare without case, as in SQLite. Undefined where there is none. */
export function findTable(tables: readonly Table[], name: string): Table | undefined {
  return tables.find((table) => table.name.toLowerCase() === name.toLowerCase());
}

function readTable(database: Database, row: TableRow): Table {
  const columns = database
    .prepare<[{ table: string }], ColumnRow>(statement('schema/columns'))
    .all({ table: row.name })
    // hidden 1 is a virtual table's own; 2 and 3 are generated columns
    .filter((column) => column.hidden !== 1)
    .map(toColumn);
  const key = columns
    .filter((column) => column.keyPosition > 0)
    .sort((a, b) => a.keyPosition - b.keyPosition);
  const uniqueIndexes = readUniqueIndexes(database, row.name);
  return {
    name: row.name,
    kind: row.type,
    withoutRowid: row.without_rowid === 1,
    strict: row.strict === 1,
    columns,
    primaryKey: key.map((column) => column.name),
    rowidKey:
      row.type === 'table' &&
      row.without_rowid === 0 &&
      key.length === 1 &&
      key[0]?.declaredType.toUpperCase() === 'INTEGER' &&
      !uniqueIndexes.some((index) => index.primary),
    uniqueIndexes,
    replacesOnConflict: hasReplaceClause(row.sql),
  };
}

function hasReplaceClause(sql: string): boolean {
  const tokens = tokensOf(sql);
  return tokens.some(
    (token, place) => isKeyword(token, 'REPLACE') && isKeyword(tokens[place - 1], 'CONFLICT'),
  );
}

function toColumn(row: ColumnRow): Column {
  return {
    name: row.name,
    declaredType: row.declared_type,
    notNull: row.not_null === 1,
    defaultSql: row.default_sql,
    keyPosition: row.key_position,
    generated: row.hidden !== 0,
  };
}

function readUniqueIndexes(database: Database, table: string): UniqueIndex[] {
  const rows = database
    .prepare<[{ table: string }], IndexRow>(statement('schema/unique-indexes'))
    .all({ table });
  const names = [...new Set(rows.map((row) => row.name))];
  return names.map((name) => {
    const parts = rows.filter((row) => row.name === name);
    return {
      name,
      primary: parts[0]?.origin === 'pk',
      partial: parts[0]?.partial === 1,
      columns: parts.map((part) => part.column_name),
      collations: parts.map((part) => part.collation),
    };
  });
}

/** Whether the table has a row. */
export function hasRows(database: Database, table: string): boolean {
  const sql = template('schema/any-row', { table: identifier(table) });
  return database.prepare<[], { found: number }>(sql).get()?.found === 1;
}

/** Whether some row of the table has a NULL in one of these columns; looks at every row at worst. */
export function hasNullIn(database: Database, table: string, columns: readonly string[]): boolean {
  const anyKeyColumnIsNull = joinSql(
    columns.map((column) => fragment('{{column}} IS NULL', { column: identifier(column) })),
    ' OR ',
  );
  const sql = template('schema/null-keys', { table: identifier(table), anyKeyColumnIsNull });
  return database.prepare<[], { found: number }>(sql).get()?.found === 1;
}
