import { keyHashCall } from '../database/key-hash.js';
import { recordColumns, recordsMatch, rowMatches } from '../database/record-columns.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { fragment, identifier, joinSql, literal, template, type Sql } from '../sql/template.js';
import { fingerprintCall } from './fingerprint-function.js';

/** What the statements of the fold need to know of a table. */
export function foldHoles(table: ReplicatedTable): Readonly<Record<string, Sql>> {
  const columns = recordColumns(table.key.length);
  const firstKey = table.key[0];
  if (firstKey === undefined) throw new TypeError(`Expected "${table.name}" to have a key`);
  const raw = {
    tableName: literal(table.name),
    recordColumns: joinSql(columns, ', '),
    recordIsWhole: recordIsWhole(table),
    keyHash: keyHashCall(table.name, joinSql(columns, ', ')),
  };
  return {
    ...raw,
    table: identifier(table.name),
    written: template('fold/written', raw),
    rawColumns: joinSql(
      columns.map((column) => fragment('raw.{{column}}', { column })),
      ', ',
    ),
    entryColumns: joinSql(
      columns.map((column) => fragment('entry.{{column}}', { column })),
      ', ',
    ),
    present: fragment('w.{{key}} IS NOT NULL', { key: identifier(firstKey.name) }),
    rowTimestamp: columnOrNull(table.config.timestampColumn),
    softDeleted: softDeleted(table.config.softDeleteColumn),
    fingerprint: fingerprintCall(table),
    rowMatches: rowMatches(table, 'w', 'raw'),
    oldMatches: recordsMatch(table, 'old', 'raw'),
  };
}

/** The record columns of an entry whose key has no NULL in it. */
export function recordIsWhole(table: ReplicatedTable): Sql {
  return joinSql(
    recordColumns(table.key.length).map((column) => fragment('{{column}} IS NOT NULL', { column })),
    ' AND ',
  );
}

function columnOrNull(name: string | null): Sql {
  return name === null ? fragment('NULL') : fragment('w.{{name}}', { name: identifier(name) });
}

/** A soft-delete column holds a time or a boolean; NULL, 0, '' and 'false' say that the row lives. */
function softDeleted(name: string | null): Sql {
  if (name === null) return fragment('0');
  return fragment(`coalesce(w.{{name}} NOT IN (0, '0', '', 'false'), 0)`, { name: identifier(name) });
}
