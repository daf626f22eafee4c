import type { Database, Statement } from 'better-sqlite3';
import { sqliteCodeOf } from '../database/open.js';
import { readTables, type Column, type Table } from '../database/table.js';
import { messageOf, SyncError } from '../errors.js';
import { fragment, identifier, joinSql, statement, template, type Sql } from '../sql/template.js';
import type { Rebuilt } from './conversion.js';
import { numberIn } from './new-table.js';

/*
 * What is looked at before a conversion counts. All of it throws `conversion_failed`; the caller takes everything back.
 */

/** Every row of the old table stands once in the new one, each value as it was, and each key as the map has it. */
export function requireSameRows(database: Database, rebuilt: Rebuilt): void {
  const { table, temporary, keys } = rebuilt;
  const names = { from: identifier(table.name), to: identifier(temporary) };
  const differing = rowsOf(
    database,
    template('convert/differing-rows', { ...names, match: matchOf(rebuilt), equal: equalOf(rebuilt) }),
  );
  const [before, after] = [names.from, names.to].map((name) =>
    rowsOf(database, template('convert/count-rows', { table: name })),
  );
  if (differing === 0 && before === after) return;
  const what = [...keys.keys()].map((name) => `"${name}"`).join(', ');
  throw failed(
    `table "${table.name}": ${differing} of ${before ?? 0} rows would not come out as they were, converting ${what}`,
  );
}

function matchOf({ table, keys, rowid }: Rebuilt): Sql {
  if (rowid !== null) {
    return fragment('n.{{rowid}} = o.{{rowid}}', {
      rowid: table.rowidKey && !keys.has(keyOf(table)) ? identifier(keyOf(table)) : fragment(rowid),
    });
  }
  if (table.primaryKey.length === 0) return equalColumns(table, table.columns, keys);
  // Said forwards, so that the new table's own index finds the row.
  const converted = (name: string, map: Sql): Sql => {
    const column = fragment('o.{{column}}', { column: identifier(name) });
    const value = template('convert/forward-value', { map, number: numberIn(table, name, 'o'), column });
    return fragment('n.{{column}} IS {{value}}', { column: identifier(name), value });
  };
  return joinSql(
    table.primaryKey.map((name) => {
      const map = keys.get(name);
      const column = identifier(name);
      return map === undefined ? fragment('n.{{column}} IS o.{{column}}', { column }) : converted(name, map);
    }),
    ' AND ',
  );
}

function keyOf({ primaryKey }: Table): string {
  return primaryKey[0] ?? '';
}

function equalOf({ table, keys }: Rebuilt): Sql {
  const stored = table.columns.filter(({ generated }) => !generated);
  return equalColumns(table, stored, keys);
}

function equalColumns(table: Table, columns: readonly Column[], keys: Rebuilt['keys']): Sql {
  return joinSql(
    columns.map(({ name }) => sameColumn(table, name, keys.get(name))),
    ' AND ',
  );
}

function sameColumn(table: Table, name: string, map: Sql | undefined): Sql {
  const column = identifier(name);
  if (map === undefined) return fragment('({{same}})', { same: template('convert/same-value', { column }) });
  const same = template('convert/same-key', { map, column, number: numberIn(table, name, 'o') });
  return fragment('({{same}})', { same });
}

/** Rows that refer to nothing, by table and parent: as many as before, and the same. */
export function danglingIn(database: Database): string {
  const dangling = database.prepare(statement('convert/dangling'));
  return readTables(database)
    .filter(({ kind }) => kind === 'table')
    .flatMap(({ name }) => {
      const found = danglingOf(dangling, name);
      return found === '[]' ? [] : [`${name}: ${found}`];
    })
    .join(', ');
}

function danglingOf(dangling: Statement, table: string): string {
  try {
    return JSON.stringify(dangling.all({ table }));
  } catch (error) {
    // A foreign key whose parent has no such key: SQLite can't look after it, neither before nor after.
    if (sqliteCodeOf(error) !== 'SQLITE_ERROR') throw error;
    return messageOf(error);
  }
}

export function requireSameDangling(database: Database, before: string): void {
  const after = danglingIn(database);
  if (after !== before)
    throw failed(
      `references would not lead where they did: ${after || 'none dangles'} instead of ${before || 'none'}`,
    );
}

/** Rows of each view; null where it can't be read, which is the application's affair. */
export function viewCounts(database: Database, views: readonly string[]): ReadonlyMap<string, number | null> {
  return new Map(views.map((view) => [view, countOfView(database, view)]));
}

function countOfView(database: Database, view: string): number | null {
  try {
    return rowsOf(database, template('convert/count-rows', { table: identifier(view) }));
  } catch (error) {
    // A function or collation of the application's, or a view that was broken before.
    if (sqliteCodeOf(error) !== 'SQLITE_ERROR') throw error;
    return null;
  }
}

export function requireSameViews(database: Database, before: ReadonlyMap<string, number | null>): void {
  const after = viewCounts(database, [...before.keys()]);
  for (const [view, rows] of before) {
    if (rows === null || after.get(view) === rows) continue;
    throw failed(`view "${view}" would show ${after.get(view) ?? 'no'} rows instead of ${rows}`);
  }
}

/** Throws where SQLite finds damage in what was made. */
export function requireSound(database: Database): void {
  const rows = database.pragma('integrity_check(5)') as { integrity_check: string }[];
  const faults = rows.map((row) => row.integrity_check).filter((line) => line !== 'ok');
  if (faults.length > 0) throw failed(`SQLite finds fault with the result: ${faults.join('; ')}`);
}

function rowsOf(database: Database, sql: Sql): number {
  return database.prepare<[], { rows: number }>(sql).get()?.rows ?? 0;
}

function failed(why: string): SyncError {
  return new SyncError('conversion_failed', why, {
    hint: 'Nothing was changed. See docs/convert-ids.md.',
  });
}
