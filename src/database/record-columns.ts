import type { KeyColumn, ReplicatedTable } from './replicable.js';
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

/** Joins a user's row to the record columns of another source, by the key's index. */
export function rowMatches(table: ReplicatedTable, row: string, record: string): Sql {
  const columns = recordColumns(table.key.length);
  const terms = table.key.flatMap((key, index) => {
    const holes = { key: identifier(key.name), column: columns[index] ?? fragment('') };
    return keyCollations(key).map((collation) =>
      fragment(`${row}.{{key}} COLLATE {{collation}} = ${record}.{{column}}`, { ...holes, collation }),
    );
  });
  return joinSql(terms, ' AND ');
}

/**
 * The collations that a key column is to be compared under: that of its index, which may be another than the column's
 * own, and BINARY, since two keys that differ in letter case alone are two to us.
 */
export function keyCollations(key: KeyColumn): Sql[] {
  const names = key.collation.toUpperCase() === 'BINARY' ? ['BINARY'] : [key.collation, 'BINARY'];
  return names.map(identifier);
}

/** A key column of a user's row `w`, compared as the index of the key compares it, which is how it tells rows apart. */
export function underIndex({ name, collation }: KeyColumn): Sql {
  return fragment('w.{{name}} COLLATE {{collation}}', {
    name: identifier(name),
    collation: identifier(collation),
  });
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
