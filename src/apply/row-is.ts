import { bindings, placeholder, type Bindable } from '../database/bind.js';
import { keyCollations } from '../database/record-columns.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { fragment, identifier, joinSql, type Sql } from '../sql/template.js';
import type { SqlValue } from '../wire/value.js';

/**
 * Finds a user's row by its key, whose values `rowIsBindings` gives. `+`: where the table was analyzed, SQLite compiles
 * a statement anew at each run to plan for the very value that a bare place compares with.
 */
export function rowIs(table: ReplicatedTable, key: readonly SqlValue[]): Sql {
  const terms = table.key.flatMap((column, index) => {
    const holes = { name: identifier(column.name), value: placeholder(key[index]) };
    return keyCollations(column).map((collation) =>
      fragment('{{name}} COLLATE {{collation}} = +{{value}}', { ...holes, collation }),
    );
  });
  return joinSql(terms, ' AND ');
}

/** The values for `rowIs`, in order: a column's once for each collation that it is compared under. */
export function rowIsBindings(table: ReplicatedTable, key: readonly SqlValue[]): Bindable[] {
  const bound = bindings(key);
  if (table.key.every(({ collation }) => collation.toUpperCase() === 'BINARY')) return bound;
  return table.key.flatMap((column, index) => keyCollations(column).map(() => bound[index] ?? null));
}
