import type { Table } from '../database/table.js';
import { fragment, identifier, joinSql, literal, template, verbatim, type Sql } from '../sql/template.js';
import { addedColumns } from './added-columns.js';
import { isExtended, schemaName, textOf, type Context, type Way } from './context.js';
import type { Rebuilt } from './conversion.js';
import { isInteger, isText, requireColumn } from './key-columns.js';
import {
  defaultNumber,
  edited,
  hasDefault,
  isNotNull,
  readTableText,
  type ColumnText,
  type Edit,
} from './table-text.js';

/** What the numbers in a column are, as SQL; NULL where its value is none. */
export function numberIn(table: Table, name: string, alias: 't' | 'o'): Sql {
  const column = fragment('{{alias}}.{{column}}', { alias: fragment(alias), column: identifier(name) });
  const kind = isText(requireColumn(table, name)) ? 'convert/number-of-text' : 'convert/number';
  return template(kind, { column });
}

/** The number that a column of this table gets where a new row does not say; null where its default is none. */
export function numberByDefault(table: Table, text: ColumnText): ReturnType<typeof defaultNumber> {
  const column = requireColumn(table, text.name.name);
  return defaultNumber(text, isText(column) || isInteger(column));
}

/** Makes a table under its temporary name, and fills it with the rows of the old one. */
export function copyTable(context: Context, each: Rebuilt, way: Way): Sql[] {
  const { table, temporary, keys, rowid } = each;
  const stored = table.columns.filter(({ generated }) => !generated).map(({ name }) => name);
  const values = stored.map((name) => {
    const column = fragment('t.{{column}}', { column: identifier(name) });
    const map = keys.get(name);
    if (map === undefined) return column;
    if (way === 'backward') return template('convert/backward-value', { map, column });
    return template('convert/forward-value', { map, number: numberIn(table, name, 't'), column });
  });
  // Where the row number is the key itself it is among the columns.
  const isKey = table.rowidKey && (way === 'backward' || !keys.has(table.primaryKey[0] ?? ''));
  const number = rowid === null || isKey ? [] : [rowid];
  // Said, since they would be filled by their default.
  const added = way === 'forward' && isExtended(context, table) ? addedColumns(table).names : [];
  const names = [...number.map((name) => fragment(name)), ...[...stored, ...added].map(identifier)];
  const numbers = number.map((name) => fragment('t.{{name}}', { name: fragment(name) }));
  const from = [...numbers, ...values, ...added.map(() => fragment('NULL'))];
  return [
    verbatim(tableSql(context, each, way)),
    template('convert/copy-rows', {
      to: identifier(temporary),
      columns: joinSql(names, ', '),
      values: joinSql(from, ', '),
      from: identifier(table.name),
    }),
  ];
}

/** The new table's text, under its temporary name. */
function tableSql(context: Context, { table, temporary, keys }: Rebuilt, way: Way): string {
  const text = readTableText(textOf(context, table));
  const name = { start: text.name.start, end: text.name.end, text: identifier(temporary) };
  if (way === 'backward') return edited(text.sql, [name]);
  const edits: Edit[] = [name];
  for (const column of text.columns) {
    const own = schemaName(table, column.name.name);
    const map = keys.get(own);
    if (map === undefined) continue;
    const isKey = table.primaryKey.length === 1 && table.primaryKey[0] === own;
    const owner = context.maps.find((each) => each.map === map);
    const number = numberByDefault(table, column);
    if (number !== null && owner !== undefined)
      edits.push({ ...number.edit, text: literal(owner.keys.of(number.value)) });
    const notNull = isKey && table.rowidKey && !isNotNull(column) ? ' NOT NULL' : '';
    const filled =
      isKey && owner?.table === table && !hasDefault(column)
        ? ` DEFAULT ${template('convert/default-uuid', {})}`
        : '';
    const first = column.type[0]?.start ?? column.name.end;
    const last = column.type.at(-1)?.end ?? column.name.end;
    const keepsType = isText(requireColumn(table, own));
    if (!keepsType)
      edits.push({
        start: first,
        end: last,
        text: `${column.type.length === 0 ? ' ' : ''}TEXT${notNull}${filled}`,
      });
  }
  const isConverted = keys.has(table.primaryKey[0] ?? '') && table.rowidKey;
  if (isConverted && text.autoincrement !== null) {
    edits.push({ start: text.autoincrement.start, end: text.autoincrement.end, text: '' });
  }
  if (isExtended(context, table)) {
    const { definitions } = addedColumns(table);
    edits.push({ start: text.columnsEnd, end: text.columnsEnd, text: definitions });
  }
  return edited(text.sql, edits);
}
