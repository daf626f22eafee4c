import type { Database } from 'better-sqlite3';
import { sqliteCodeOf } from '../database/open.js';
import { messageOf } from '../errors.js';
import type { Check } from './check.js';
import { fault, fine, warning } from './finding.js';
import type { OpenDatabase } from './subjects.js';

/** Faults that are named. */
const MAX_FAULTS = 5;

/** Whether SQLite finds the file sound: every page is read, indexes are not compared with their tables. */
export const integrityCheck: Check<OpenDatabase> = {
  name: 'integrity',
  look({ database }) {
    const faults = faultsOf(database);
    if (typeof faults === 'string') {
      const fix = 'Run PRAGMA quick_check in your application, which has what we lack.';
      return [warning(`SQLite can't check the file: ${faults}`, fix)];
    }
    if (faults.length === 0) return [fine('SQLite finds no damage')];
    const fix = 'Stop the daemon and the application; restore a backup, or use sqlite3 FILE .recover.';
    return faults.map((found) => fault(`SQLite finds damage: ${found}`, fix));
  },
};

/** SQLite's reason where it can't check, such as a collation that only the application has. */
function faultsOf(database: Database): string[] | string {
  try {
    const rows = database.pragma(`quick_check(${MAX_FAULTS})`) as { quick_check: string }[];
    const lines = rows.flatMap((row) => row.quick_check.split('\n'));
    return lines.filter((line) => line !== 'ok' && !line.startsWith('***')).slice(0, MAX_FAULTS);
  } catch (error) {
    if (sqliteCodeOf(error) !== 'SQLITE_ERROR') throw error;
    return messageOf(error);
  }
}
