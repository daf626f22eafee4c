import type { ReplicatedTable } from './replicable.js';
import { fragment, identifier, joinSql, type Sql } from '../sql/template.js';

/** The names under which an entry holds a key of this many columns: `record_id`, `record_id_2`, ... */
export function recordColumns(count: number): Sql[] {
  return Array.from({ length: count }, (_, index) =>
    fragment(index === 0 ? 'record_id' : `record_id_${index + 1}`),
  );
}

/** `alias.record_id, alias.record_id_2 ...` for this table's key. */
export function recordColumnsOf(table: ReplicatedTable, alias: string): Sql {
  return joinSql(
    recordColumns(table.key.length).map((column) => fragment(`${alias}.{{column}}`, { column })),
    ', ',
  );
}

/**
 * Joins a user's row to the record columns of another source. The user's column stands on the left, so that its
 * collation picks the index; where that is not BINARY, a second term compares the bytes, since `abc` and `ABC`
 * are two keys to us.
 */
export function rowMatches(table: ReplicatedTable, row: string, record: string): Sql {
  const columns = recordColumns(table.key.length);
  const terms = table.key.flatMap((key, index) => {
    const holes = { key: identifier(key.name), column: columns[index] ?? fragment('') };
    const equal = fragment(`${row}.{{key}} = ${record}.{{column}}`, holes);
    if (key.collation.toUpperCase() === 'BINARY') return [equal];
    return [equal, fragment(`${row}.{{key}} COLLATE BINARY = ${record}.{{column}}`, holes)];
  });
  return joinSql(terms, ' AND ');
}

/** Joins two sources by their record columns. */
export function recordsMatch(table: ReplicatedTable, left: string, right: string): Sql {
  return joinSql(
    recordColumns(table.key.length).map((column) =>
      fragment(`${left}.{{column}} = ${right}.{{column}}`, { column }),
    ),
    ' AND ',
  );
}
