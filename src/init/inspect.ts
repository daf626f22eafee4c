import type { Database } from 'better-sqlite3';
import type { TimestampFormat } from '../config/config.js';
import { columnNamed, refusalOf } from '../database/replicable.js';
import { hasNullIn, readTables, type Table, type TableKind } from '../database/table.js';
import { columnLike, SOFT_DELETE_NAMES } from './column-names.js';
import { detectFormat } from './timestamp-format.js';

/** What init found out about one table or view. */
export interface TableFinding {
  readonly name: string;
  readonly kind: TableKind;
  readonly replicable: boolean;
  /** Why not, and what to do about it; null where it is replicable. */
  readonly reason: string | null;
  readonly remedy: string | null;
  /** True where `allow_integer_key` is all that it takes. */
  readonly integerKey: boolean;
  /** Empty where nothing identifies a row. */
  readonly key: readonly string[];
  readonly timestampColumn: string | null;
  readonly timestampFormat: TimestampFormat;
  readonly softDeleteColumn: string | null;
  /** What its owner should know although it can be replicated. */
  readonly notes: readonly string[];
}

/** Looks at every table and view. Reads the schema, some rows, and the keys where they may hold NULL. */
export function inspectTables(database: Database, timestampPatterns: readonly string[]): TableFinding[] {
  return readTables(database).map((table) => inspectTable(database, table, timestampPatterns));
}

function inspectTable(database: Database, table: Table, patterns: readonly string[]): TableFinding {
  const key = table.primaryKey.length > 0 ? table.primaryKey : uniqueKeyOf(table);
  const options = { primaryKey: key.length > 0 ? key : null, allowIntegerKey: false };
  const refusal = refusalOf(table, options);
  const integerKey = refusal !== null && refusalOf(table, { ...options, allowIntegerKey: true }) === null;
  if (refusal !== null && !integerKey) return refused(table, key, refusal.reason, refusal.remedy);
  if (mayHoldNull(table, key) && hasNullIn(database, table.name, key)) {
    return refused(table, key, 'has rows with NULL in its key', 'Give those rows a key, or delete them.');
  }
  return {
    name: table.name,
    kind: table.kind,
    replicable: refusal === null,
    reason: refusal?.reason ?? null,
    remedy: refusal?.remedy ?? null,
    integerKey,
    key: table.kind === 'table' ? key : [],
    ...timestampOf(database, table, patterns),
    softDeleteColumn: columnLike(table, SOFT_DELETE_NAMES)?.name ?? null,
  };
}

function refused(table: Table, key: readonly string[], reason: string, remedy: string): TableFinding {
  return {
    name: table.name,
    kind: table.kind,
    replicable: false,
    reason,
    remedy,
    integerKey: false,
    key,
    timestampColumn: null,
    timestampFormat: 'auto',
    softDeleteColumn: null,
    notes: [],
  };
}

/** For a table without a primary key: the columns of a unique index that leaves no row out. */
function uniqueKeyOf(table: Table): readonly string[] {
  for (const index of table.uniqueIndexes) {
    const columns = index.columns.filter((name) => name !== null);
    const isWhole = columns.length === index.columns.length && !index.partial;
    if (isWhole && columns.every((name) => columnNamed(table, name)?.notNull === true)) return columns;
  }
  return [];
}

/** SQLite takes NULL in a primary key, unless it is the row number, declared NOT NULL or WITHOUT ROWID. */
function mayHoldNull(table: Table, key: readonly string[]): boolean {
  if (table.withoutRowid || table.rowidKey) return false;
  return key.some((name) => columnNamed(table, name)?.notNull !== true);
}

function timestampOf(
  database: Database,
  table: Table,
  patterns: readonly string[],
): Pick<TableFinding, 'timestampColumn' | 'timestampFormat' | 'notes'> {
  const column = columnLike(table, patterns);
  if (column === null) return { timestampColumn: null, timestampFormat: 'auto', notes: [] };
  const { format, sampled, unreadable } = detectFormat(database, table, column.name);
  const note =
    `${unreadable} of ${sampled} sampled values of ${column.name} can't be read as a time; ` +
    'for such rows the time of capture counts';
  return { timestampColumn: column.name, timestampFormat: format, notes: unreadable > 0 ? [note] : [] };
}
