import BetterSqlite3, { type Database } from 'better-sqlite3';
import { SCHEMA, word, type Word } from './workload.js';

/** Opens a database as an application would that was told to use WAL. */
export function openApp(file: string): Database {
  const database = new BetterSqlite3(file, { timeout: 30_000 });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  return database;
}

/** Makes the application's database, without rows. */
export function createApp(file: string): void {
  const database = openApp(file);
  database.exec(SCHEMA);
  database.close();
}

export function withApp<T>(file: string, work: (database: Database) => T): T {
  const database = openApp(file);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

const INSERT = 'INSERT INTO words VALUES (?, ?, ?, ?, ?, ?)';

/** The floor of writing: rows in transactions of this many. */
export function insertWords(database: Database, rows: readonly Word[], perTransaction = rows.length): void {
  const insert = database.prepare(INSERT);
  const insertAll = database.transaction((part: readonly Word[]) => {
    for (const row of part) insert.run(row);
  });
  for (let at = 0; at < rows.length; at += perTransaction) insertAll(rows.slice(at, at + perTransaction));
}

/** Changes these rows in one transaction, each to a new text with a new time. */
export function changeWords(database: Database, numbers: Iterable<number>, round: number): void {
  const update = database.prepare('UPDATE words SET english = ?, updated_at = ? WHERE id = ?');
  const now = Date.now();
  database.transaction(() => {
    for (const number of numbers) {
      const [id, english] = word(number);
      update.run(`${english} ${round}`, now, id);
    }
  })();
}

/** Numbers of rows that lie all over a table of so many. */
export function spread(count: number, rows: number): number[] {
  const step = Math.max(1, Math.floor(rows / count));
  return Array.from({ length: count }, (_, at) => (at * step) % rows);
}

/** In how many rows the words of two databases differ, in value or type. */
export function differences(one: string, other: string): number {
  const database = new BetterSqlite3(one, { timeout: 30_000 });
  try {
    database.prepare('ATTACH ? AS other').run(other);
    const cells = ['id', 'english', 'chinese', 'pronunciation', 'updated_at', 'deleted_at']
      .map((name) => `${name}, typeof(${name})`)
      .join(', ');
    const missing = (from: string, without: string) =>
      database
        .prepare(
          `SELECT count(*) FROM (SELECT ${cells} FROM ${from}.words EXCEPT SELECT ${cells} FROM ${without}.words)`,
        )
        .pluck()
        .get() as number;
    return missing('main', 'other') + missing('other', 'main');
  } finally {
    database.close();
  }
}

export function requireEqual(one: string, other: string): void {
  const found = differences(one, other);
  if (found > 0) throw new Error(`${one} and ${other} differ in ${found} rows`);
}
