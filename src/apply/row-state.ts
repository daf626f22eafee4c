import { readReplica, type Changelog } from '../changelog/changelog.js';
import { hideUnfolded } from '../changelog/unfolded.js';
import { bindings, placeholder } from '../database/bind.js';
import { recordColumns } from '../database/record-columns.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { fragment, joinSql, literal, statement, template } from '../sql/template.js';
import { fingerprinter } from '../wire/fingerprint.js';
import { keyText } from '../wire/key-text.js';
import type { RowState } from '../wire/row-state.js';
import type { SqlValue } from '../wire/value.js';
import { findRow, findVersion } from './local.js';

type Row = ReadonlyMap<string, SqlValue> | null;

/** Reads how rows stand by their keys, in one transaction. `columns` are those whose content counts. */
export function readStates(
  changelog: Changelog,
  table: ReplicatedTable,
  keys: readonly (readonly SqlValue[])[],
  columns: readonly string[],
): { state: RowState; row: Row }[] {
  return changelog.database.transaction(() => {
    const { folded } = readReplica(changelog.database);
    const hidden = hideUnfolded(changelog, folded);
    return keys.map((key) => {
      const row = findRow(changelog, table, key);
      const version = findVersion(changelog, table, key)?.version ?? null;
      const whole = row === null ? '' : contentOf(row, table.columns);
      const state = {
        key,
        fingerprint: row === null ? null : contentOf(row, columns),
        version,
        intact: version !== null && version.fingerprint === whole,
        unfolded: hidden === 'too many' || (hidden === 'some' && hasUnfolded(changelog, table, key)),
        held: isHeld(changelog, table, key),
        conflict: hasOpenConflict(changelog, table, key),
      };
      return { state, row };
    });
  })();
}

function contentOf(row: NonNullable<Row>, columns: readonly string[]): string {
  return fingerprinter(columns)(columns.map((name) => row.get(name) ?? null));
}

function hasUnfolded(changelog: Changelog, table: ReplicatedTable, key: readonly SqlValue[]): boolean {
  const terms = recordColumns(key.length).map((column, place) =>
    fragment('u.{{column}} = {{value}}', { column, value: placeholder(key[place]) }),
  );
  const sql = template('verify/any-unfolded-of-key', {
    tableName: literal(table.name),
    recordIs: joinSql(terms, ' AND '),
  });
  // The temporary table is made anew by each look, and a statement kept for it would be of the one before.
  return (changelog.database.prepare(sql).get(bindings(key)) as { found: number }).found === 1;
}

function isHeld(changelog: Changelog, table: ReplicatedTable, key: readonly SqlValue[]): boolean {
  const bound = { table: table.name, key: keyText(key) };
  return changelog.prepare(statement('apply/quarantined')).get(bound) !== undefined;
}

function hasOpenConflict(changelog: Changelog, table: ReplicatedTable, key: readonly SqlValue[]): boolean {
  const bound = { table: table.name, key: keyText(key) };
  return changelog.prepare(statement('conflicts/open-of-key')).get(bound) !== undefined;
}
