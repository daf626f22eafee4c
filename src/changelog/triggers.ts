import type { WantedTrigger } from '../database/trigger-plan.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { fragment, identifier, joinSql, literal, template, type Sql } from '../sql/template.js';
import { recordColumns } from '../database/record-columns.js';

const CAPTURE_TIME = fragment(`, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)`);
const NOTHING = fragment('');

/** What capturing these tables asks of the schema. */
export function captureOf(tables: readonly ReplicatedTable[]): {
  keyColumns: number;
  triggers: WantedTrigger[];
} {
  return {
    keyColumns: Math.max(1, ...tables.map((table) => table.key.length)),
    triggers: tables.flatMap(triggersOf),
  };
}

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
    ofKey: ofKey(table),
    timestampColumn: timed ? fragment(', timestamp') : NOTHING,
    captureTime: timed ? CAPTURE_TIME : NOTHING,
  };
  return (['insert', 'update', 'update-key', 'delete'] as const).map((kind) => {
    const name = `_sync_${table.name}_${kind.replace('-', '_')}`;
    const sql = template(`triggers/${kind}`, { ...holes, trigger: identifier(name) });
    return { name, table: table.name, key: table.key.map((column) => column.name), sql };
  });
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

/**
 * Spares statements that do not set the key the question whether it changed. A row number can be set by another name than
 * its column's (`rowid`, `oid`).
 */
function ofKey({ key, table }: ReplicatedTable): Sql {
  if (table.rowidKey) return NOTHING;
  const columns = joinSql(
    key.map(({ name }) => identifier(name)),
    ', ',
  );
  return fragment('OF {{columns}}', { columns });
}
