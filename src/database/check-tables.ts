import type { Database } from 'better-sqlite3';
import type { Config, TableConfig } from '../config/config.js';
import { configError, type Fault } from '../config/faults.js';
import { nearest } from '../config/nearest.js';
import { columnNamed, keyOf, refusalOf, toReplicatedTable, type ReplicatedTable } from './replicable.js';
import { findTable, readTables, type Table } from './table.js';

/** The configured tables as the schema is now, and what keeps the others out. */
export interface InspectedTables {
  readonly tables: readonly ReplicatedTable[];
  readonly faults: readonly Fault[];
}

/** Joins every configured table with the schema as it is now, in the configuration's order. Reads the schema only. */
export function inspectTables(config: Config, database: Database): InspectedTables {
  const tables = readTables(database);
  const faults: Fault[] = [];
  const replicated = config.tables.flatMap((configured, index) => {
    const table = findTable(tables, configured.name);
    const found = table === undefined ? [missing(configured, tables)] : tableFaults(table, configured);
    faults.push(...found.map((fault) => ({ ...fault, path: ['tables', index, ...fault.path] })));
    return table === undefined || found.length > 0 ? [] : [toReplicatedTable(table, configured)];
  });
  return { tables: replicated, faults };
}

/** The same, where every configured table has to fit: throws one SyncError with exit code 2 that lists what does not. */
export function checkTables(config: Config, database: Database): ReplicatedTable[] {
  const { tables, faults } = inspectTables(config, database);
  if (faults.length > 0) throw configError(config.file, faults);
  return [...tables];
}

function missing(configured: TableConfig, tables: readonly Table[]): Fault {
  const meant = nearest(
    configured.name,
    tables.map((table) => table.name),
  );
  const suggestion = meant === null ? '' : `; did you mean ${JSON.stringify(meant)}?`;
  return { path: ['name'], message: `no such table ${JSON.stringify(configured.name)}${suggestion}` };
}

function tableFaults(table: Table, configured: TableConfig): Fault[] {
  const refusal = refusalOf(table, configured);
  if (refusal !== null) {
    const message = `table ${JSON.stringify(table.name)} ${refusal.reason}`;
    return [{ path: [], message: `${message}. ${refusal.remedy}`, hint: 'Correct the table or its entry.' }];
  }
  return [
    ...columnFaults(table, configured.timestampColumn, 'timestamp_column', configured),
    ...columnFaults(table, configured.softDeleteColumn, 'soft_delete_column', configured),
    ...configured.excludeColumns.flatMap((name, index) => excludedFaults(table, name, index, configured)),
  ];
}

function columnFaults(
  table: Table,
  name: string | null,
  key: 'timestamp_column' | 'soft_delete_column',
  configured: TableConfig,
): Fault[] {
  if (name === null) return [];
  if (columnNamed(table, name) === undefined) return [{ path: [key], message: noColumn(table, name) }];
  if (!configured.excludeColumns.some((excluded) => isSame(excluded, name))) return [];
  return [
    { path: [key], message: `column ${JSON.stringify(name)} must cross, but stands in exclude_columns too` },
  ];
}

function excludedFaults(table: Table, name: string, index: number, configured: TableConfig): Fault[] {
  const path = ['exclude_columns', index];
  const column = columnNamed(table, name);
  if (column === undefined) return [{ path, message: noColumn(table, name) }];
  const shown = JSON.stringify(column.name);
  if (keyOf(table, configured.primaryKey).some((key) => isSame(key, name))) {
    return [{ path, message: `column ${shown} is part of the key of table ${JSON.stringify(table.name)}` }];
  }
  if (column.notNull && column.defaultSql === null && !column.generated) {
    const message = `column ${shown} is NOT NULL without a default, so that no row of a peer could be inserted`;
    return [{ path, message }];
  }
  return [];
}

function noColumn(table: Table, name: string): string {
  const meant = nearest(
    name,
    table.columns.map((column) => column.name),
  );
  const suggestion = meant === null ? '' : `; did you mean ${JSON.stringify(meant)}?`;
  return `no such column ${JSON.stringify(name)} in table ${JSON.stringify(table.name)}${suggestion}`;
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
