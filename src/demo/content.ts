import BetterSqlite3, { type Database } from 'better-sqlite3';
import { fragment, identifier, joinSql, statement, template } from '../sql/template.js';

/** A table of one file: every value as a text that only the same type and the same bytes give. */
export interface TableContent {
  readonly columns: readonly string[];
  /** By key; the cells in the order of `columns`. */
  readonly rows: ReadonlyMap<string, readonly string[]>;
}

/** A column's type, value and bytes, as `sql/demo/content.sql` returns them. */
type Cell = readonly [type: string, value: unknown, bytes: Uint8Array | null];

/** Reads tables of a SQLite file by plain queries; nothing that the replicator stored has a part in it. */
export function readContent(file: string, tables: readonly string[]): Map<string, TableContent> {
  const database = new BetterSqlite3(file, { readonly: true, fileMustExist: true });
  try {
    return database.transaction(() => new Map(tables.map((table) => [table, readTable(database, table)])))();
  } finally {
    database.close();
  }
}

function readTable(database: Database, table: string): TableContent {
  const columns = database
    .prepare<unknown[], { name: string; key_position: number }>(statement('demo/columns'))
    .all({ table });
  const cells = columns.map(({ name }) =>
    fragment('typeof({{name}}), {{name}}, CAST({{name}} AS BLOB)', { name: identifier(name) }),
  );
  const sql = template('demo/content', { cells: joinSql(cells, ', '), table: identifier(table) });
  const rows = new Map<string, readonly string[]>();
  for (const row of database.prepare<unknown[], unknown[]>(sql).safeIntegers(true).raw(true).iterate()) {
    const texts = columns.map((_, index) => cellText(row.slice(index * 3, index * 3 + 3) as unknown as Cell));
    rows.set(texts.filter((_, index) => columns[index]?.key_position !== 0).join(' '), texts);
  }
  return { columns: columns.map(({ name }) => name), rows };
}

/** `integer 1`, `real 1.5`, `text "house"`, `blob 00ff0a`, `null`. */
function cellText([type, value, bytes]: Cell): string {
  switch (type) {
    case 'null':
      return type;
    case 'integer':
      return `${type} ${String(value)}`;
    case 'real':
      // JSON would write both zeros alike
      return `${type} ${Object.is(value, -0) ? '-0' : String(value)}`;
    default:
      return `${type} ${bytesText(type, bytes ?? new Uint8Array())}`;
  }
}

/** Text reads as text where that says all there is; anything else stays bytes. */
function bytesText(type: string, bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes);
  const text = buffer.toString('utf8');
  return type === 'text' && Buffer.from(text, 'utf8').equals(buffer)
    ? JSON.stringify(text)
    : buffer.toString('hex');
}
