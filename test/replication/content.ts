import BetterSqlite3, { type Database } from 'better-sqlite3';
import { expect } from 'chai';

/** Names of tables that replicas must agree on, with the columns of their key. */
export type Keys = Readonly<Record<string, readonly string[]>>;

/** Rows that differ are named up to this number. */
const MAX_NAMED = 5;

/** Runs work on a connection of the test's own. */
export function withDatabase<T>(file: string, work: (database: Database) => T): T {
  const database = new BetterSqlite3(file, { fileMustExist: true, timeout: 10_000 });
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** Runs statements as an application would. */
export function execute(file: string, sql: string): void {
  withDatabase(file, (database) => database.exec(sql));
}

/** The cells of the first row. */
export function queryRow(file: string, sql: string): unknown[] {
  return withDatabase(file, (database) => database.prepare<[], unknown[]>(sql).raw(true).get() ?? []);
}

export function countOf(file: string, table: string, condition = '1'): number {
  return queryRow(file, `SELECT count(*) FROM ${quoted(table)} WHERE ${condition}`)[0] as number;
}

/** The newest id that the changelog ever gave, and how many entries it holds. */
export function logHead(file: string): unknown[] {
  return queryRow(
    file,
    `SELECT (SELECT seq FROM sqlite_sequence WHERE name = '_sync_changes'), (SELECT count(*) FROM _sync_changes)`,
  );
}

/** Every row of a table by its key: type and bytes of every column, exactly. */
export function contentOf(database: Database, table: string, key: readonly string[]): Map<string, string> {
  const columns = database
    .prepare<[string], { name: string }>('SELECT name FROM pragma_table_info(?)')
    .all(table);
  const cells = columns.flatMap(({ name }) => [`typeof(${quoted(name)})`, exactly(quoted(name))]);
  const keyText = key
    .map((name) => `typeof(${quoted(name)}) || ' ' || ${exactly(quoted(name))}`)
    .join(" || ', ' || ");
  const rows = database.prepare<[], unknown[]>(
    `SELECT ${keyText}, ${cells.join(', ')} FROM ${quoted(table)}`,
  );
  return new Map(
    rows
      .raw(true)
      .safeIntegers(true)
      .all()
      .map(([rowKey, ...row]) => [String(rowKey), row.map(textOf).join(' ')]),
  );
}

/** Fails, naming rows, where some replica's table differs from the first one's. Returns how many rows each has. */
export function expectSameContent(files: readonly string[], keys: Keys): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [table, key] of Object.entries(keys)) {
    const [first = new Map<string, string>(), ...others] = files.map((file) =>
      withDatabase(file, (database) => contentOf(database, table, key)),
    );
    for (const [index, other] of others.entries()) {
      const differing = differences(first, other);
      expect(differing, `${table} of ${files[index + 1]} against ${files[0]}`).to.deep.equal([]);
    }
    counts[table] = first.size;
  }
  return counts;
}

function differences(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const key of new Set([...one.keys(), ...other.keys()])) {
    if (one.get(key) === other.get(key)) continue;
    found.push(`${key}: ${other.get(key) ?? 'no row'} instead of ${one.get(key) ?? 'no row'}`);
  }
  const more = found.length - MAX_NAMED;
  return more > 0 ? [...found.slice(0, MAX_NAMED), `and ${more} more`] : found;
}

/** Text and blobs as the hex digits of their bytes; quote() would stop at a NUL. */
function exactly(column: string): string {
  return `CASE typeof(${column}) WHEN 'text' THEN hex(CAST(${column} AS BLOB)) WHEN 'blob' THEN hex(${column}) ELSE ${column} END`;
}

function textOf(value: unknown): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  return String(value);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
