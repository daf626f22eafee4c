import type { Database } from 'better-sqlite3';
import { identifier, literal, statement, template, type Sql } from '../sql/template.js';
import { planKnownKeys, rekeyedTables, type KeyedTable } from './known-keys.js';
import { hasRows } from './table.js';

/** A trigger as it should stand in the schema. */
export interface WantedTrigger {
  readonly name: string;
  readonly table: string;
  /** The columns of the table's key, which it notes of each row. */
  readonly key: readonly string[];
  readonly sql: Sql;
}

/**
 * The statements that make our triggers exactly these; empty where they are. A table that lacked one is to be compared
 * with its versions, and everything that peers hold of it pulled again. A table that has another key now than the
 * changelog knows it by starts over: its rows are compared as if they had been there before the triggers.
 */
export function planTriggers(database: Database, wished: readonly WantedTrigger[]): Sql[] {
  const present = ourTriggers(database);
  const stale = present.filter(
    (trigger) => !wished.some((wanted) => wanted.name === trigger.name && wanted.sql === trigger.sql),
  );
  const missing = wished.filter(
    (wanted) => !present.some((trigger) => trigger.name === wanted.name && trigger.sql === wanted.sql),
  );
  const keyed = keyedTables(wished, missing);
  const rekeyed = rekeyedTables(database, keyed);
  const uncaptured = uncapturedTables(database, wished).filter((table) => !rekeyed.includes(table));
  return [
    ...stale.map((trigger) => dropTrigger(trigger.name)),
    ...missing.map((trigger) => trigger.sql),
    ...uncaptured.flatMap((table) => planBackfill(database, table)),
    ...rekeyed.flatMap(planStartingOver),
    ...(uncaptured.length + rekeyed.length > 0 ? [statement('migrate/restart-pulls')] : []),
    ...planKnownKeys(database, keyed),
  ];
}

/** Where SQLite has kept our triggers up with a renamed column, they read as they should. */
function keyedTables(wished: readonly WantedTrigger[], missing: readonly WantedTrigger[]): KeyedTable[] {
  const tables = new Map(wished.map(({ table, key }) => [table, key]));
  return [...tables].map(([table, key]) => ({
    table,
    key,
    followed: !missing.some((trigger) => trigger.table === table),
  }));
}

function planStartingOver(table: string): Sql[] {
  const tableName = literal(table);
  return [
    template('migrate/forget-entries', { tableName }),
    template('migrate/forget-backfill', { tableName }),
  ];
}

/** The tables that lack a trigger, whatever the text of those they have. */
export function uncapturedTables(database: Database, wished: readonly WantedTrigger[]): string[] {
  const present = new Set(ourTriggers(database).map((trigger) => trigger.name));
  return [...new Set(wished.filter((wanted) => !present.has(wanted.name)).map((wanted) => wanted.table))];
}

/** Tables whose triggers have another text than they should, and tables that should have none of these. */
export function strayTriggers(
  database: Database,
  wished: readonly WantedTrigger[],
): { altered: string[]; unwanted: string[] } {
  const altered = new Set<string>();
  const unwanted = new Set<string>();
  for (const { name, table_name: table, sql } of ourTriggers(database)) {
    const wanted = wished.find((trigger) => trigger.name === name);
    if (wanted === undefined) unwanted.add(table);
    else if (wanted.sql !== sql) altered.add(wanted.table);
  }
  return { altered: [...altered], unwanted: [...unwanted] };
}

/**
 * What was written while a table lacked triggers is unknown to the log. Where it was captured before, its rows are to
 * be compared with their versions; where it never was, its rows are the legacy that `backfill` is asked to enter.
 */
function planBackfill(database: Database, table: string): Sql[] {
  const tableName = literal(table);
  if (hasChangelog(database) && (hasEntries(database, table) || wasBackfilled(database, table))) {
    return [template('migrate/forget-backfill', { tableName })];
  }
  if (hasRows(database, table)) return [];
  return [
    template('migrate/nothing-to-backfill', { tableName }),
    template('migrate/count-from-nothing', { tableName }),
  ];
}

function wasBackfilled(database: Database, table: string): boolean {
  const sql = statement('backfill/progress');
  return database.prepare<[{ table: string }], { done: number }>(sql).get({ table })?.done === 1;
}

function hasEntries(database: Database, table: string): boolean {
  const sql = template('migrate/any-entry', { tableName: literal(table) });
  return database.prepare<[], { found: number }>(sql).get()?.found === 1;
}

function hasChangelog(database: Database): boolean {
  return database.prepare<[], { found: number }>(statement('migrate/has-our-tables')).get()?.found === 1;
}

function ourTriggers(database: Database) {
  const sql = statement('migrate/our-triggers');
  return database.prepare<[], { name: string; table_name: string; sql: string }>(sql).all();
}

function dropTrigger(name: string): Sql {
  return template('migrate/drop-trigger', { trigger: identifier(name) });
}
