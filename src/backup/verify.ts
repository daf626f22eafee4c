import type { Database } from 'better-sqlite3';
import { openFile, sqliteCodeOf } from '../database/open.js';
import { messageOf, SyncError } from '../errors.js';
import { identifier, statement, template } from '../sql/template.js';

/** Rows of a table, by its name. */
export type RowCounts = Readonly<Record<string, number>>;

export interface Verified {
  /** Rows that refer to no row by a declared foreign key: a replica may have such, and so has its copy. */
  readonly dangling: number;
  /** What SQLite could not check, since only the application has a function or collation that the schema names. */
  readonly unchecked: readonly string[];
}

/** Counts the rows of these tables. */
export function countRows(database: Database, tables: readonly string[]): RowCounts {
  return Object.fromEntries(
    tables.map((name) => {
      const sql = template('backup/count-rows', { table: identifier(name) });
      return [name, database.prepare<[], { rows: number }>(sql).get()?.rows ?? 0];
    }),
  );
}

/** Reads all of a copy. Throws `backup_unsound` where SQLite finds damage, or a table does not have the rows that it should. */
export function verifyCopy(file: string, expected: RowCounts): Verified {
  // Read-only, it would leave a write-ahead log behind.
  const copy = openFile(file, { readonly: false, busyTimeoutMs: 0 });
  try {
    const unchecked = [
      attempt(() => {
        requireSound(copy);
      }),
    ];
    const counts = countRows(copy, Object.keys(expected));
    for (const [table, rows] of Object.entries(expected)) {
      if (counts[table] === rows) continue;
      throw unsound(`table "${table}" has ${counts[table] ?? 0} rows in it instead of ${rows}`);
    }
    let dangling = 0;
    unchecked.push(
      attempt(() => {
        dangling = copy.prepare<[], { rows: number }>(statement('backup/dangling')).get()?.rows ?? 0;
      }),
    );
    return { dangling, unchecked: unchecked.filter((reason) => reason !== null) };
  } finally {
    copy.close();
  }
}

function requireSound(copy: Database): void {
  const rows = copy.pragma('integrity_check(5)') as { integrity_check: string }[];
  const faults = rows.map((row) => row.integrity_check).filter((line) => line !== 'ok');
  if (faults.length > 0) throw unsound(`SQLite finds damage: ${faults.join('; ')}`);
}

/** SQLite's reason where it can't do this here, such as a collation that only the application has. */
function attempt(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (sqliteCodeOf(error) !== 'SQLITE_ERROR') throw error;
    return messageOf(error);
  }
}

function unsound(what: string): SyncError {
  return new SyncError('backup_unsound', `The backup is of no use: ${what}.`, {
    hint: 'It was not kept. Check the database with doctor, and the disk.',
  });
}
