import { statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import type { Config } from '../config/config.js';
import { backUp, type CopyOptions } from '../database/backup.js';
import { openForReading } from '../database/open.js';
import { findTable, readTables } from '../database/table.js';
import { requireApart, requireRoom } from './destination.js';
import { countRows, verifyCopy, type RowCounts, type Verified } from './verify.js';

export interface BackupMade extends Verified {
  /** Absolute. */
  readonly file: string;
  readonly bytes: number;
  /** Rows of the configured tables. */
  readonly tables: RowCounts;
}

export type BackupOptions = Pick<CopyOptions, 'overwrite' | 'onProgress' | 'signal'>;

/**
 * Writes a consistent copy of the database to a file, while everything runs, and reads it through before it gets its
 * name. Rejects with `backup_exists`, `backup_onto_database`, `backup_in_use`, `backup_no_room`, `backup_unsound` or
 * `backup_failed`; there is no file then that was not there before.
 *
 * The copy is made of pages (SQLite's backup API) and not by VACUUM INTO: it keeps the row numbers of tables that have
 * none of their own, which a full-text index may rest on, it needs nothing that only the application has, such as a
 * collation, and it says how far it is.
 */
export async function makeBackup(
  config: Config,
  file: string,
  options: BackupOptions = {},
): Promise<BackupMade> {
  requireApart(config, file);
  const database = openForReading(config);
  try {
    await requireRoom(config, file, sizeOf(database));
    const names = config.tables.map(({ name }) => name);
    let tables: RowCounts = {};
    let verified: Verified | null = null;
    await backUp(database, file, {
      ...options,
      look(source) {
        const present = readTables(source);
        const there = names.filter((name) => findTable(present, name)?.kind === 'table');
        tables = countRows(source, there);
      },
      check(copy) {
        verified = verifyCopy(copy, tables);
      },
    });
    if (verified === null) throw new TypeError('Expected the copy to be looked at');
    return { file, bytes: statSync(file).size, tables, ...(verified as Verified) };
  } finally {
    database.close();
  }
}

/** With what is in the write-ahead log. */
function sizeOf(database: Database): number {
  const [pages, pageBytes] = ['page_count', 'page_size'].map((name) =>
    Number(database.pragma(name, { simple: true })),
  );
  return (pages ?? 0) * (pageBytes ?? 0);
}
