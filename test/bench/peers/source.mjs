import BetterSqlite3 from 'better-sqlite3';

/** The rows that all are measured with, as arrays. */
export function sourceRows(file) {
  const database = new BetterSqlite3(file, { readonly: true });
  const rows = database.prepare('SELECT * FROM words ORDER BY rowid').raw().all();
  database.close();
  return rows;
}
