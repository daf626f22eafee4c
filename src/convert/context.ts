import type { Database } from 'better-sqlite3';
import { hasSequenceTable } from '../database/migrate.js';
import type { Table } from '../database/table.js';
import { statement, type Sql } from '../sql/template.js';
import type { ConversionWish, Rebuilt } from './conversion.js';
import type { NumberedTable, VirtualTable } from './row-numbers.js';
import { readTableText } from './table-text.js';
import type { NewKeys } from './uuid.js';

/** A row of SQLite's schema that has a text. */
export interface SchemaObject {
  readonly type: 'table' | 'index' | 'trigger' | 'view';
  readonly name: string;
  readonly tableName: string;
  readonly sql: string;
}

/** How a value crosses, the way there and the way back. */
export type Way = 'forward' | 'backward';

/** What a plan is made from. */
export interface Context {
  readonly database: Database;
  readonly wish: ConversionWish;
  /** The tables that were named. */
  readonly wanted: readonly Table[];
  readonly objects: readonly SchemaObject[];
  /** The tables that keys are made for. One whose key is another's too has none. */
  readonly maps: readonly { table: Table; map: Sql; keys: NewKeys }[];
  readonly rebuilt: readonly Rebuilt[];
  /** Those that lose an integer key. */
  readonly numbered: readonly NumberedTable[];
  readonly virtual: readonly VirtualTable[];
}

/** A table's CREATE TABLE. */
export function textOf({ objects }: Context, table: Table): string {
  const object = objects.find(({ type, name }) => type === 'table' && name === table.name);
  if (object === undefined) throw new TypeError(`Expected the text of "${table.name}"`);
  return object.sql;
}

/** A column's name as the schema has it. */
export function schemaName(table: Table, name: string): string {
  return table.columns.find((column) => column.name.toLowerCase() === name.toLowerCase())?.name ?? name;
}

/** Whether it gets further columns. */
export function isExtended({ wish, wanted }: Context, table: Table): boolean {
  return wish.addColumns && wanted.includes(table);
}

export function isAutoincrement(context: Context, table: Table): boolean {
  return readTableText(textOf(context, table)).autoincrement !== null;
}

/** Its own key stays an integer that is counted on. */
export function keepsAutoincrement(context: Context, { table, keys }: Rebuilt): boolean {
  return isAutoincrement(context, table) && !keys.has(table.primaryKey[0] ?? '');
}

/** What AUTOINCREMENT has come to; null where the table is not in its table. */
export function sequenceOf(database: Database, table: Table): bigint | null {
  if (!hasSequenceTable(database)) return null;
  const sql = statement('convert/sequence');
  return (
    database.prepare<[{ table: string }], { seq: bigint }>(sql).safeIntegers(true).get({ table: table.name })
      ?.seq ?? null
  );
}
