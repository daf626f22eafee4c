import type { Database } from 'better-sqlite3';
import type { Config } from '../config/config.js';
import { configError } from '../config/faults.js';
import { columnNamed, type ReplicatedTable } from './replicable.js';
import { hasNullIn } from './table.js';

/** Throws, with every table at fault, where some row has a NULL in its key: such rows can't be told apart. */
export function requireWholeKeys(
  config: Config,
  database: Database,
  tables: readonly ReplicatedTable[],
): void {
  const faults = tables.flatMap((replicated, index) => {
    const { table, name } = replicated;
    const nullable = nullableKeyColumns(replicated);
    if (nullable.length === 0 || !hasNullIn(database, name, nullable)) return [];
    const columns = nullable.map((column) => `"${column}"`).join(', ');
    return [
      {
        path: ['tables', index],
        message: `table "${table.name}" has rows with NULL in its key (${columns}). Give them a key, or delete them.`,
      },
    ];
  });
  if (faults.length > 0) throw configError(config.file, faults);
}

/** The key columns that can hold NULL. */
export function nullableKeyColumns(replicated: ReplicatedTable): string[] {
  return replicated.key.map((column) => column.name).filter((column) => isNullable(replicated, column));
}

/** SQLite lets NULL into every key but a row number, a NOT NULL column and those of WITHOUT ROWID and STRICT tables. */
function isNullable({ table }: ReplicatedTable, column: string): boolean {
  if (table.withoutRowid || table.rowidKey) return false;
  return columnNamed(table, column)?.notNull !== true;
}
