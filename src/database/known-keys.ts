import type { Database } from 'better-sqlite3';
import { literal, statement, template, type Sql } from '../sql/template.js';

/** A captured table with the columns of its key, in order. */
export interface KeyedTable {
  readonly table: string;
  readonly key: readonly string[];
  /** True where the app has renamed columns under our triggers, so that the rows have the keys that they had. */
  readonly followed: boolean;
}

/** The tables that the changelog knows by another key: what it says of them is of other rows, or of none. */
export function rekeyedTables(database: Database, tables: readonly KeyedTable[]): string[] {
  const known = knownKeys(database);
  return tables
    .filter(({ table, followed }) => !followed && known.has(table))
    .filter(({ table, key }) => known.get(table) !== keyText(key))
    .map(({ table }) => table);
}

/** The statements that note the keys of these tables; empty where they are noted. */
export function planKnownKeys(database: Database, tables: readonly KeyedTable[]): Sql[] {
  const known = knownKeys(database);
  return tables
    .filter(({ table, key }) => known.get(table) !== keyText(key))
    .map(({ table, key }) =>
      template('migrate/know-key', { tableName: literal(table), columns: literal(keyText(key)) }),
    );
}

function knownKeys(database: Database): Map<string, string> {
  const there =
    database.prepare<[], { found: number }>(statement('migrate/has-known-keys')).get()?.found === 1;
  if (!there) return new Map();
  const rows = database.prepare<[], { name: string; columns: string }>(statement('migrate/known-keys')).all();
  return new Map(rows.map(({ name, columns }) => [name, columns]));
}

/** Names compare without case, as in SQLite. */
function keyText(key: readonly string[]): string {
  return JSON.stringify(key.map((name) => name.toLowerCase()));
}
