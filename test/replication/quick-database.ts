import BetterSqlite3, { type Database } from 'better-sqlite3';
import type { TableConfig } from '#src/config/config.js';
import { toReplicatedTable, type ReplicatedTable } from '#src/database/replicable.js';
import { findTable, readTables } from '#src/database/table.js';

/** For random histories: nothing is kept through a power cut. */
export function openFast(file: string): Database {
  const database = new BetterSqlite3(file);
  database.pragma('journal_mode = MEMORY');
  database.pragma('synchronous = OFF');
  return database;
}

/** The configured tables as they are in the database. */
export function replicated(database: Database, tables: readonly TableConfig[]): ReplicatedTable[] {
  const schema = readTables(database);
  return tables.map((config) => {
    const table = findTable(schema, config.name);
    if (table === undefined) throw new Error(`no table ${config.name}`);
    return toReplicatedTable(table, config);
  });
}
