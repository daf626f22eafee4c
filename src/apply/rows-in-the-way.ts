import type { Changelog } from '../changelog/changelog.js';
import { exactValues, type PlainValue } from '../changelog/row.js';
import { bindings, placeholder, sameValue } from '../database/bind.js';
import { recordColumns } from '../database/record-columns.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { fragment, identifier, joinSql, template, type Sql } from '../sql/template.js';
import type { SqlValue } from '../wire/value.js';
import { findWholeRow } from './local.js';
import type { Reason } from './quarantine.js';
import { insertRow, updateRow, withKept, type Writable } from './write.js';

/** Reasons to hold a row that nothing but the row itself gives. */
export const WOULD_EVICT = 'unique: another row here has its value, and the schema would replace it';
/** ON CONFLICT IGNORE in the schema, or RAISE(IGNORE) in a trigger. */
export const IGNORED = 'a rule or trigger of this database ignores the row';

/** Whether the schema's own ON CONFLICT REPLACE would delete another row for this one, without a word. */
export function wouldEvict(
  changelog: Changelog,
  table: ReplicatedTable,
  key: readonly SqlValue[],
  writable: Writable,
): boolean {
  const whole = findWholeRow(changelog, table, key);
  const row = whole === null ? writable : withKept(writable, whole);
  return rowsInTheWay(changelog, table, key, row).length > 0;
}

/** Writes a row over the one of its key, or as a new one; returns what keeps it from being written, null where it was. */
export function placeRow(
  changelog: Changelog,
  table: ReplicatedTable,
  key: readonly SqlValue[],
  writable: Writable,
): Reason | null {
  if (table.table.replacesOnConflict && wouldEvict(changelog, table, key, writable)) return WOULD_EVICT;
  if (updateRow(changelog, table, key, writable) || insertRow(changelog, table, writable)) return null;
  return IGNORED;
}

/** Carries the answer out of the savepoint that is taken back. */
class Found extends Error {
  constructor(readonly keys: readonly SqlValue[][]) {
    super('found');
  }
}

/**
 * The keys of the rows that keep this row from being written, by whatever unique rule. SQLite itself is asked: the row
 * is written with REPLACE, the rows that go are noted, and all is taken back. Throws where the row can't be written at
 * all.
 */
export function rowsInTheWay(
  changelog: Changelog,
  table: ReplicatedTable,
  key: readonly SqlValue[],
  writable: Writable,
): SqlValue[][] {
  const { database } = changelog;
  // Only so do the rows that a REPLACE deletes fire a delete trigger.
  database.pragma('recursive_triggers = ON');
  try {
    database.transaction(() => {
      throw new Found(evictedBy(changelog, table, writable));
    })();
  } catch (error) {
    if (error instanceof Found) return error.keys.filter((found) => !isSameKey(found, key));
    throw error;
  } finally {
    database.pragma('recursive_triggers = OFF');
  }
  return [];
}

function evictedBy(changelog: Changelog, table: ReplicatedTable, writable: Writable): SqlValue[][] {
  const { database } = changelog;
  const columns = recordColumns(table.key.length);
  const recordList = joinSql(columns, ', ');
  database.exec(template('apply/create-evicted', { recordColumns: recordList }));
  database.exec(template('apply/watch-evicted', { table: identifier(table.name), oldKey: oldKey(table) }));
  const replace = template('apply/replace-row', {
    table: identifier(table.name),
    columns: joinSql(writable.names.map(identifier), ', '),
    values: joinSql(
      writable.values.map((value) => placeholder(value)),
      ', ',
    ),
  });
  database.prepare(replace).run(bindings(writable.values));
  const recordBytes = columns.map((column) => fragment('CAST({{column}} AS BLOB)', { column }));
  const sql = template('apply/evicted', {
    recordColumns: recordList,
    recordBytes: joinSql(recordBytes, ', '),
  });
  const rows = database.prepare(sql).safeIntegers(true).raw(true).all() as PlainValue[][];
  return rows.map(exactValues);
}

function oldKey(table: ReplicatedTable): Sql {
  return joinSql(
    table.key.map((column) => fragment('OLD.{{name}}', { name: identifier(column.name) })),
    ', ',
  );
}

function isSameKey(a: readonly SqlValue[], b: readonly SqlValue[]): boolean {
  return a.every((value, index) => sameValue(value, b[index]));
}
