import type { Database } from 'better-sqlite3';
import { sqliteCodeOf } from '../database/open.js';
import { findTable, readTables, type Table } from '../database/table.js';
import { messageOf } from '../errors.js';
import { fragment, identifier, joinSql, statement, template } from '../sql/template.js';
import { toWire, type WireValue } from '../wire/value.js';
import { isSameName, tableNamed, type Changelog } from './changelog.js';
import { exactValues, rowBytes, rowColumns, type PlainValue } from './row.js';

/** Rows of one table that refer to rows which are not there. */
export interface DanglingReference {
  readonly table: string;
  readonly parent: string;
  /** The columns that refer. */
  readonly columns: readonly string[];
  readonly rows: number;
  /** True where counting ended at a bound: there may be more. */
  readonly at_least: boolean;
  /** Keys of the first of them; empty for a table that is not replicated, or whose parent table is missing. */
  readonly keys: readonly (readonly WireValue[])[];
}

export interface ReferenceCheck {
  readonly dangling: readonly DanglingReference[];
  /** Tables whose foreign keys SQLite can't check, with its reason. */
  readonly unchecked: readonly { readonly table: string; readonly reason: string }[];
}

/** Dangling references of one table are counted no further. */
const MAX_COUNTED = 1_000;
const MAX_KEYS = 3;

interface ForeignKey {
  readonly id: number;
  readonly parent: string;
  readonly pairs: { readonly childColumn: string; readonly parentColumn: string | null }[];
}

/**
 * Finds references that lead nowhere, from and to replicated tables: foreign keys are not enforced while changes are
 * applied. Reads each table that refers once.
 */
export function findDangling(changelog: Changelog): ReferenceCheck {
  const { database } = changelog;
  const dangling: DanglingReference[] = [];
  const unchecked: { table: string; reason: string }[] = [];
  let schema: readonly Table[] | null = null;
  for (const [child, keys] of foreignKeys(database)) {
    const ours = keys.filter(
      ({ parent }) => isReplicated(changelog, child) || isReplicated(changelog, parent),
    );
    if (ours.length === 0) continue;
    const counted = check(database, child);
    if (typeof counted === 'string') {
      unchecked.push({ table: child, reason: counted });
      continue;
    }
    const total = [...counted.values()].reduce((sum, found) => sum + found, 0);
    for (const key of ours) {
      const rows = counted.get(key.id) ?? 0;
      if (rows === 0) continue;
      schema ??= readTables(database);
      const columns = key.pairs.map(({ childColumn }) => childColumn);
      const at_least = total === MAX_COUNTED;
      const sample = keysOf(changelog, child, key, findTable(schema, key.parent));
      dangling.push({ table: child, parent: key.parent, columns, rows, at_least, keys: sample });
    }
  }
  return { dangling, unchecked };
}

function isReplicated(changelog: Changelog, name: string): boolean {
  return changelog.tables.some((table) => isSameName(table.name, name));
}

function foreignKeys(database: Database): Map<string, ForeignKey[]> {
  const rows = database
    .prepare<[], { child: string; parent: string; id: number } & ForeignKey['pairs'][number]>(
      statement('references/all'),
    )
    .all();
  const found = new Map<string, ForeignKey[]>();
  for (const { child, id, parent, childColumn, parentColumn } of rows) {
    const keys = found.get(child) ?? [];
    found.set(child, keys);
    const known = keys.find((key) => key.id === id);
    const pair = { childColumn, parentColumn };
    if (known === undefined) keys.push({ id, parent, pairs: [pair] });
    else known.pairs.push(pair);
  }
  return found;
}

/** Dangling rows by foreign key; SQLite's reason where it can't check, such as a parent without a fitting key. */
function check(database: Database, table: string): Map<number, number> | string {
  try {
    const rows = database
      .prepare<unknown[], { id: number; found: number }>(statement('references/check'))
      .all({ table, limit: MAX_COUNTED });
    return new Map(rows.map(({ id, found }) => [id, found]));
  } catch (error) {
    if (sqliteCodeOf(error) !== 'SQLITE_ERROR') throw error;
    return messageOf(error);
  }
}

function keysOf(
  changelog: Changelog,
  child: string,
  { pairs }: ForeignKey,
  parent: Table | undefined,
): WireValue[][] {
  const table = tableNamed(changelog, child);
  if (table === undefined || parent === undefined) return [];
  const names = table.key.map(({ name }) => name);
  const refers = pairs.map(({ childColumn }) =>
    fragment('w.{{name}} IS NOT NULL', { name: identifier(childColumn) }),
  );
  // The parent's column stands first: its collation is the one that counts.
  const meets = pairs.map(({ childColumn, parentColumn }, place) =>
    fragment('p.{{to}} = w.{{from}}', {
      to: identifier(parentColumn ?? parent.primaryKey[place] ?? childColumn),
      from: identifier(childColumn),
    }),
  );
  const sql = template('references/dangling-keys', {
    key: rowColumns(names),
    keyBytes: rowBytes(names),
    child: identifier(table.name),
    parent: identifier(parent.name),
    refers: joinSql(refers, ' AND '),
    meets: joinSql(meets, ' AND '),
  });
  const rows = changelog.prepare(sql).safeIntegers(true).raw(true).all({ limit: MAX_KEYS });
  return (rows as PlainValue[][]).map((cells) => exactValues(cells).map(toWire));
}
