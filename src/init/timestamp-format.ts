import type { Database } from 'better-sqlite3';
import { parseIso8601 } from '../clock/iso8601.js';
import { numberIn, unitOf } from '../clock/timestamp.js';
import type { TimestampFormat } from '../config/config.js';
import type { Table } from '../database/table.js';
import { fragment, identifier, joinSql, template, type Sql } from '../sql/template.js';

/** Rows looked at from each end of the table, the oldest and the newest. */
const SAMPLE_ROWS_PER_END = 500;

export interface FormatFinding {
  readonly format: TimestampFormat;
  /** Values that hold something. */
  readonly sampled: number;
  /** Those of them that can't be read as a time. */
  readonly unreadable: number;
}

/** Tells a timestamp column's format by values from both ends of the table; `auto` where they differ or none is there. */
export function detectFormat(database: Database, table: Table, column: string): FormatFinding {
  const values = sample(database, table, column).filter((value) => !isUnset(value));
  const formats = values.map(formatOf);
  const readable = new Set(formats.filter((format) => format !== null));
  const [only] = readable;
  return {
    format: readable.size === 1 && only !== undefined ? only : 'auto',
    sampled: values.length,
    unreadable: formats.filter((format) => format === null).length,
  };
}

function sample(database: Database, table: Table, column: string): unknown[] {
  const first = valuesAtEnd(database, table, column, '{{column}}');
  if (first.length < SAMPLE_ROWS_PER_END) return first;
  return [...first, ...valuesAtEnd(database, table, column, '{{column}} DESC')];
}

function valuesAtEnd(
  database: Database,
  table: Table,
  column: string,
  direction: '{{column}}' | '{{column}} DESC',
): unknown[] {
  const order = joinSql(
    treeColumns(table).map((name) => fragment(direction, { column: name })),
    ', ',
  );
  const holes = { table: identifier(table.name), column: identifier(column), order };
  return database
    .prepare<[{ rows: number }], unknown>(template('init/sample-column', holes))
    .safeIntegers()
    .pluck()
    .all({ rows: SAMPLE_ROWS_PER_END });
}

/** What the table's rows are stored by; a column named like one of SQLite's names for it hides that name. */
function treeColumns(table: Table): Sql[] {
  if (table.withoutRowid) return table.primaryKey.map(identifier);
  const names = new Set(table.columns.map((column) => column.name.toLowerCase()));
  const free = ['rowid', '_rowid_', 'oid'].find((name) => !names.has(name));
  return [free === undefined ? fragment('1') : fragment(free)];
}

function isUnset(value: unknown): boolean {
  return value === null || value === '' || value === 0 || value === 0n;
}

/** Null: not a time. */
function formatOf(value: unknown): TimestampFormat | null {
  if (typeof value === 'bigint' || typeof value === 'number') return numberFormat(Number(value));
  if (typeof value !== 'string') return null;
  const number = numberIn(value);
  if (number !== null) return numberFormat(number);
  return parseIso8601(value) === null ? null : 'iso8601';
}

function numberFormat(value: number): TimestampFormat {
  const unit = unitOf(value);
  return unit === 'unix_us' || unit === 'unix_ns' ? 'auto' : unit;
}
