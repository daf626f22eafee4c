import type { TableConfig } from '../config/config.js';
import { OUR_PREFIX, type Table, type UniqueIndex } from './table.js';

/** Why a table can't be replicated, and what to do about it. */
export interface Refusal {
  readonly reason: string;
  readonly remedy: string;
}

/** A key column with the collation that its index compares by. */
export interface KeyColumn {
  readonly name: string;
  readonly collation: string;
}

/** A configured table, joined with what the schema says of it: what capture, fold, feed and apply work on. */
export interface ReplicatedTable {
  readonly name: string;
  readonly key: readonly KeyColumn[];
  /** The columns that cross, in schema order: neither generated nor excluded; the key is among them. */
  readonly columns: readonly string[];
  /** The same, to ask for one. */
  readonly columnSet: ReadonlySet<string>;
  /** True where a REPLACE can delete a row of another key than it writes: no delete trigger fires for that. */
  readonly evicts: boolean;
  readonly config: TableConfig;
  readonly table: Table;
}

/** Key columns that a changelog entry can hold (`record_id`, `record_id_2` ...). */
export const MAX_KEY_COLUMNS = 8;

/** Columns of a table: an SQL function takes as many values, and a row is read as values and as bytes at once. */
export const MAX_COLUMNS = 1000;

/** The collations that every SQLite has. */
const OWN_COLLATIONS = new Set(['BINARY', 'NOCASE', 'RTRIM']);

/** The columns that identify a row: the configured ones, else the schema's primary key. */
export function keyOf(table: Table, configured: readonly string[] | null): readonly string[] {
  if (configured === null) return table.primaryKey;
  return configured.map((name) => columnNamed(table, name)?.name ?? name);
}

/** Says why this table can't be replicated by this key, or null where it can. Reads the schema only. */
export function refusalOf(
  table: Table,
  options: { primaryKey: readonly string[] | null; allowIntegerKey: boolean },
): Refusal | null {
  return kindRefusal(table) ?? keyRefusal(table, keyOf(table, options.primaryKey), options.allowIntegerKey);
}

function kindRefusal(table: Table): Refusal | null {
  switch (table.kind) {
    case 'view':
      return { reason: 'is a view', remedy: 'Replicate the tables that it reads.' };
    case 'virtual':
      return {
        reason: 'is a virtual table, which can have no triggers',
        remedy: 'Replicate the table that it indexes; its own triggers keep the virtual table up to date.',
      };
    case 'shadow':
      return {
        reason: 'is the shadow table of a virtual table',
        remedy: 'Leave it out; SQLite maintains it from the virtual table.',
      };
    case 'table':
      return table.name.startsWith(OUR_PREFIX)
        ? { reason: 'is a table of sqlite-p2p-sync itself', remedy: 'Leave it out.' }
        : widthRefusal(table);
  }
}

function widthRefusal({ columns }: Table): Refusal | null {
  if (columns.length <= MAX_COLUMNS) return null;
  return {
    reason: `has ${columns.length} columns, more than the ${MAX_COLUMNS} that can be compared`,
    remedy: 'Split it into tables that share a key.',
  };
}

function keyRefusal(table: Table, key: readonly string[], allowIntegerKey: boolean): Refusal | null {
  if (key.length === 0) {
    return {
      reason: 'has no primary key',
      remedy: 'Add one (a UUID text key is best), or name the columns of a unique index in primary_key.',
    };
  }
  if (key.length > MAX_KEY_COLUMNS) {
    return {
      reason: `has a key of ${key.length} columns, more than the ${MAX_KEY_COLUMNS} that the changelog holds`,
      remedy: 'Name a shorter unique key in primary_key.',
    };
  }
  for (const name of key) {
    const column = columnNamed(table, name);
    if (column === undefined) {
      return { reason: `has no column "${name}" for its key`, remedy: 'Correct primary_key.' };
    }
    if (column.generated) {
      return {
        reason: `has the generated column "${name}" in its key, which can't be written`,
        remedy: 'Name stored columns of a unique index in primary_key.',
      };
    }
  }
  const collations = collationsOf(table, key);
  if (collations === null) {
    return {
      reason: `has no primary key or unique index on exactly (${key.join(', ')})`,
      remedy: `Create one: CREATE UNIQUE INDEX ... ON "${table.name}" (${key.map((name) => `"${name}"`).join(', ')}).`,
    };
  }
  const foreign = collations.find((name) => !OWN_COLLATIONS.has(name.toUpperCase()));
  if (foreign !== undefined) {
    return {
      reason: `has a key under the collation "${foreign}", which the application brings with it and we don't have`,
      remedy: 'Name a unique index under BINARY, NOCASE or RTRIM in primary_key.',
    };
  }
  if (isRowidKey(table, key) && !allowIntegerKey) {
    return {
      reason: 'has an INTEGER PRIMARY KEY: two replicas would give the same number to different rows',
      remedy:
        'convert-ids makes it UUID text, or set allow_integer_key: true where the numbers can never be allocated twice.',
    };
  }
  return null;
}

/** Joins a configured table with its schema. Call only after `refusalOf` said null. */
export function toReplicatedTable(table: Table, config: TableConfig): ReplicatedTable {
  const key = keyOf(table, config.primaryKey);
  const collations = collationsOf(table, key) ?? key.map(() => 'BINARY');
  const excluded = new Set(config.excludeColumns.map((name) => name.toLowerCase()));
  const columns = table.columns
    .filter((column) => !column.generated && !excluded.has(column.name.toLowerCase()))
    .map((column) => column.name);
  return {
    name: table.name,
    key: key.map((name, index) => ({ name, collation: collations[index] ?? 'BINARY' })),
    columns,
    columnSet: new Set(columns),
    evicts: canEvict(table, key),
    config: {
      ...config,
      timestampColumn: schemaName(table, config.timestampColumn),
      softDeleteColumn: schemaName(table, config.softDeleteColumn),
    },
    table,
  };
}

/** Whether the table has a unique rule besides this key compared byte for byte. */
function canEvict(table: Table, key: readonly string[]): boolean {
  const rowidRule = table.rowidKey && !isRowidKey(table, key);
  return rowidRule || table.uniqueIndexes.some((index) => !isExactKey(index, key));
}

function isExactKey(index: UniqueIndex, key: readonly string[]): boolean {
  return (
    !index.partial &&
    index.columns.length === key.length &&
    key.every((name) => index.columns.includes(name)) &&
    index.collations.every((collation) => collation.toUpperCase() === 'BINARY')
  );
}

/** The key's columns in the order of their index, which may be another than that of the key. */
export function keyInIndexOrder({ table, key }: ReplicatedTable): readonly KeyColumn[] {
  const names = key.map((column) => column.name);
  const order = isRowidKey(table, names) ? names : (indexOf(table, names)?.columns ?? names);
  return key.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

/** The whole index that makes these columns unique. */
function indexOf(table: Table, key: readonly string[]): UniqueIndex | undefined {
  return table.uniqueIndexes.find(
    (candidate) =>
      !candidate.partial &&
      candidate.columns.length === key.length &&
      key.every((name) => candidate.columns.includes(name)),
  );
}

/** A configured column's name as the schema writes it. */
function schemaName(table: Table, name: string | null): string | null {
  return name === null ? null : (columnNamed(table, name)?.name ?? name);
}

/** A column by name, compared without case as SQLite does. */
export function columnNamed(table: Table, name: string) {
  return table.columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
}

function isRowidKey(table: Table, key: readonly string[]): boolean {
  return table.rowidKey && key.length === 1 && key[0] === table.primaryKey[0];
}

/** The collations that make these columns unique, in their order; null where nothing makes them unique. */
function collationsOf(table: Table, key: readonly string[]): string[] | null {
  if (isRowidKey(table, key)) return ['BINARY'];
  const index = indexOf(table, key);
  if (index === undefined) return null;
  return key.map((name) => index.collations[index.columns.indexOf(name)] ?? 'BINARY');
}
