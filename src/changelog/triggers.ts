import type { WantedTrigger } from '../database/trigger-plan.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { fragment, identifier, joinSql, literal, template, type Sql } from '../sql/template.js';
import { uniqueRulesOf, type UniqueRule } from '../database/unique-rules.js';
import { recordColumns } from '../database/record-columns.js';

const CAPTURE_TIME = fragment(`, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)`);
const NOTHING = fragment('');

/** The capture triggers of a table. They name its key columns only, so that ALTER TABLE on others leaves them be. */
export function triggersOf(table: ReplicatedTable): WantedTrigger[] {
  // A table with a timestamp column says itself when a row was written; a vanished row can't.
  const timed = table.config.timestampColumn === null;
  const holes = {
    table: identifier(table.name),
    tableName: literal(table.name),
    recordColumns: joinSql(recordColumns(table.key.length), ', '),
    newKey: keyIn(table, 'NEW'),
    oldKey: keyIn(table, 'OLD'),
    keyChanged: keyChanged(table),
    timestampColumn: timed ? fragment(', timestamp') : NOTHING,
    captureTime: timed ? CAPTURE_TIME : NOTHING,
  };
  const capture = (['insert', 'update', 'update-key', 'delete'] as const).map((kind) =>
    named(table, kind, holes),
  );
  const rules = uniqueRulesOf(table);
  if (rules.length === 0) return capture;
  return [
    ...capture,
    named(table, 'insert-evict', { ...holes, hints: hints(table, rules, 'NEW') }),
    named(table, 'update-evict', {
      ...holes,
      hints: hints(table, rules, 'OLD'),
      anyChanged: joinSql(
        rules.map((rule) => rule.changed),
        ' OR ',
      ),
    }),
  ];
}

function named(table: ReplicatedTable, kind: string, holes: Readonly<Record<string, Sql>>): WantedTrigger {
  const name = `_sync_${table.name}_${kind.replace('-', '_')}`;
  return {
    name,
    table: table.name,
    sql: template(`triggers/${kind}`, { ...holes, trigger: identifier(name) }),
  };
}

/**
 * Notes the rows that a REPLACE would evict: SQLite deletes them without firing a delete trigger. They stay behind
 * where nothing is replaced (OR IGNORE, UPSERT), so they are hints, which the fold checks against the rows.
 */
function hints(table: ReplicatedTable, rules: readonly UniqueRule[], self: 'OLD' | 'NEW'): Sql {
  const otherKey = table.key.map((column) =>
    fragment('w.{{column}} IS NOT {{self}}.{{column}} COLLATE BINARY', {
      self: fragment(self),
      column: identifier(column.name),
    }),
  );
  const statements = rules.map((rule) =>
    template('triggers/hint', {
      recordColumns: joinSql(recordColumns(table.key.length), ', '),
      tableName: literal(table.name),
      rowKey: joinSql(
        table.key.map((column) => fragment('w.{{column}}', { column: identifier(column.name) })),
        ', ',
      ),
      table: identifier(table.name),
      collides: rule.collides,
      otherKey: joinSql(otherKey, ' OR '),
    }),
  );
  return joinSql(statements, '\n');
}

function keyIn(table: ReplicatedTable, row: 'NEW' | 'OLD'): Sql {
  return joinSql(
    table.key.map((column) =>
      fragment('{{row}}.{{column}}', { row: fragment(row), column: identifier(column.name) }),
    ),
    ', ',
  );
}

/** True in a trigger where the key is another one, letter case included (a NOCASE key misses `abc` to `ABC`). */
function keyChanged(table: ReplicatedTable): Sql {
  return joinSql(
    table.key.map((column) =>
      fragment('OLD.{{column}} IS NOT NEW.{{column}} COLLATE BINARY', { column: identifier(column.name) }),
    ),
    ' OR ',
  );
}
