import { placeholder } from '../database/bind.js';
import { keyCollations } from '../database/record-columns.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { fragment, identifier, joinSql, type Sql } from '../sql/template.js';
import type { SqlValue } from '../wire/value.js';

/** Finds a user's row by bound values, `:v1`, `:v2` ... for the key's columns. */
export function rowIs(table: ReplicatedTable, key: readonly SqlValue[], firstPosition = 1): Sql {
  const terms = table.key.flatMap((column, index) => {
    const holes = { name: identifier(column.name), value: placeholder(key[index], firstPosition + index) };
    return keyCollations(column).map((collation) =>
      fragment('{{name}} COLLATE {{collation}} = {{value}}', { ...holes, collation }),
    );
  });
  return joinSql(terms, ' AND ');
}
