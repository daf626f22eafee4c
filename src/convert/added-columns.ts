import type { Table } from '../database/table.js';
import { identifier, template, type Sql } from '../sql/template.js';

/** What `--add-columns` adds: the name, and what a new row gets where it does not say. */
const COLUMNS = [
  { name: 'created_at', isNow: true, indexed: false },
  { name: 'updated_at', isNow: true, indexed: true },
  { name: 'deleted_at', isNow: false, indexed: true },
] as const;

export interface AddedColumns {
  readonly names: readonly string[];
  /** To stand after the last column's definition; empty where the table has all of them. */
  readonly definitions: string;
  readonly indexes: readonly Sql[];
}

/** The columns that a table lacks. In rows that are there they are NULL: when those were written nobody knows. */
export function addedColumns(table: Table): AddedColumns {
  const missing = COLUMNS.filter(
    ({ name }) => !table.columns.some((column) => column.name.toLowerCase() === name),
  );
  const nowMs = template('convert/now-ms', {});
  const definitions = missing.map(
    ({ name, isNow }) => `, ${name} INTEGER${isNow ? ` DEFAULT ${nowMs}` : ''}`,
  );
  const indexes = missing
    .filter(({ indexed }) => indexed)
    .map(({ name }) =>
      template('convert/create-index', {
        index: identifier(`${table.name}_${name}`),
        table: identifier(table.name),
        column: identifier(name),
      }),
    );
  return { names: missing.map(({ name }) => name), definitions: definitions.join(''), indexes };
}
