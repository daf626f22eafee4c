import type { ReplicatedTable } from '../database/replicable.js';
import { fragment, identifier, joinSql, type Sql } from '../sql/template.js';
import type { SqlValue } from '../wire/value.js';
import { placeholder } from '../database/bind.js';

/** Finds a user's row by bound values, `:v1`, `:v2` ... for the key's columns. */
export function rowIs(table: ReplicatedTable, key: readonly SqlValue[], firstPosition = 1): Sql {
  const terms = table.key.flatMap((column, index) => {
    const holes = { name: identifier(column.name), value: placeholder(key[index], firstPosition + index) };
    const equal = fragment('{{name}} = {{value}}', holes);
    // Two keys that differ in letter case alone are one to a NOCASE index, and two to us.
    return column.collation.toUpperCase() === 'BINARY'
      ? [equal]
      : [equal, fragment('{{name}} COLLATE BINARY = {{value}}', holes)];
  });
  return joinSql(terms, ' AND ');
}
