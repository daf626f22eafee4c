import type { Database } from 'better-sqlite3';
import { messageOf, SyncError } from '../errors.js';
import { isBusy, openFile, sqliteCodeOf } from '../database/open.js';
import type { Sql } from '../sql/template.js';
import { danglingIn, requireSameDangling, requireSameRows } from './checks.js';
import type { Conversion } from './conversion.js';

/** Opens a database to be converted: no key is enforced meanwhile, no cascade fires, and no reference is renamed. */
export function openForConversion(file: string, busyTimeoutMs: number): Database {
  const database = openFile(file, { readonly: false, busyTimeoutMs });
  database.pragma('foreign_keys = OFF');
  database.pragma('legacy_alter_table = ON');
  database.pragma('recursive_triggers = OFF');
  return database;
}

/**
 * Runs the way there on a database within a transaction that the caller has begun, and checks it. The maps are still there
 * afterwards, for who wants to write them down. Throws `conversion_failed`; the caller rolls back.
 */
export function convert(
  database: Database,
  { forward, rebuilt }: Conversion,
  onProgress: (done: number, total: number) => void,
): void {
  const dangling = danglingIn(database);
  const first = [...forward.begin, ...forward.fill, ...forward.copy];
  const total = first.length + rebuilt.length + forward.swap.length;
  let done = 0;
  const step = (): void => {
    done += 1;
    onProgress(done, total);
  };
  runAll(database, first, step);
  for (const each of rebuilt) {
    requireSameRows(database, each);
    step();
  }
  runAll(database, forward.swap, step);
  requireSameDangling(database, dangling);
}

function runAll(database: Database, statements: readonly Sql[], onDone: () => void): void {
  for (const sql of statements) {
    try {
      database.exec(sql);
      onDone();
    } catch (cause) {
      if (isBusy(cause) || sqliteCodeOf(cause) === 'SQLITE_FULL') throw cause;
      const shown = sql.length > 300 ? `${sql.slice(0, 300)} ...` : sql;
      throw new SyncError('conversion_failed', `${messageOf(cause)}, in: ${shown.replace(/\s+/g, ' ')}`, {
        hint: 'Nothing was changed. See docs/convert-ids.md.',
        cause,
      });
    }
  }
}
