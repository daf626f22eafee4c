import { hash } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import type { ReplicatedTable } from '../database/replicable.js';
import { fragment, identifier, joinSql, type Sql } from '../sql/template.js';
import { fingerprinter } from '../wire/fingerprint.js';
import type { SqlValue } from '../wire/value.js';

/** What JavaScript puts in place of bytes that are not clean UTF-8. */
export const REPLACEMENT = '\uFFFD';

/**
 * Registers the table's fingerprint as an SQL function of its replicated columns. It answers NULL where a text holds
 * the replacement character: its bytes may be others, and have to be read apart.
 */
export function registerFingerprint(database: Database, table: ReplicatedTable): void {
  const fingerprint = fingerprinter(table.columns);
  database.function(
    functionName(table),
    { varargs: true, deterministic: true, safeIntegers: true },
    (...values: SqlValue[]) => (values.some(isDoubtful) ? null : fingerprint(values)),
  );
}

/** The call of that function on the columns of the source named `w`. */
export function fingerprintCall(table: ReplicatedTable): Sql {
  const columns = table.columns.map((name) => fragment('w.{{name}}', { name: identifier(name) }));
  return fragment('{{name}}({{columns}})', {
    name: identifier(functionName(table)),
    columns: joinSql(columns, ', '),
  });
}

/** Whether the bytes of this text may be other than JavaScript shows. */
export function isDoubtful(value: SqlValue): boolean {
  return typeof value === 'string' && value.includes(REPLACEMENT);
}

/** A function's name ends at 255 bytes, a table's does not. */
function functionName(table: ReplicatedTable): string {
  return `sync_fingerprint_${hash('sha256', table.name, 'hex').slice(0, 16)}`;
}
