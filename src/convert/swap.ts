import { SyncError } from '../errors.js';
import { fragment, identifier, literal, template, verbatim, type Sql } from '../sql/template.js';
import { tokensOf } from '../sql/tokens.js';
import { addedColumns } from './added-columns.js';
import {
  isAutoincrement,
  keepsAutoincrement,
  sequenceOf,
  type Context,
  type SchemaObject,
  type Way,
} from './context.js';
import type { Rebuilt } from './conversion.js';
import { mistakesRowNumbers } from './mistaken.js';
import {
  contentOf,
  isIndexOf,
  isSame,
  renumbered,
  renumberedIndex,
  type NumberedTable,
} from './row-numbers.js';

/** Puts the new tables in the place of the old ones, with all that stands on them. */
export function swapTables(context: Context, way: Way): Sql[] {
  const { objects, rebuilt, virtual, numbered } = context;
  const isRebuilt = (name: string): boolean =>
    rebuilt.some(({ table }) => table.name.toLowerCase() === name.toLowerCase());
  const rewritten = rewrittenObjects(context);
  const indexes = virtual.filter((each) => rebuilt.some(({ table }) => isIndexOf(each, table.name)));
  const textFor = (object: SchemaObject): Sql =>
    verbatim(way === 'forward' ? (rewritten.get(object) ?? object.sql) : object.sql);
  // A view that is dropped takes its triggers with it.
  const views = objects.filter((object) => object.type === 'view' && rewritten.has(object));
  const triggers = objects.filter(
    (object) =>
      object.type === 'trigger' &&
      (isRebuilt(object.tableName) ||
        rewritten.has(object) ||
        views.some(({ name }) => name === object.tableName)),
  );
  const dropped = triggers.filter(
    ({ tableName }) => !isRebuilt(tableName) && !views.some(({ name }) => name === tableName),
  );
  return [
    ...dropped.map(({ name }) => template('migrate/drop-trigger', { trigger: identifier(name) })),
    ...views.map(({ name }) => template('convert/drop-view', { view: identifier(name) })),
    ...indexes.map(({ name }) => template('convert/drop-table', { table: identifier(name) })),
    ...rebuilt.flatMap(({ table, temporary }) => [
      template('convert/drop-table', { table: identifier(table.name) }),
      template('convert/rename-table', { from: identifier(temporary), to: identifier(table.name) }),
    ]),
    ...rebuilt.flatMap((each) => sequenceSql(context, each, way)),
    ...objects
      .filter(({ type, tableName }) => type === 'index' && isRebuilt(tableName))
      .map(({ sql }) => verbatim(sql)),
    ...(way === 'forward' && context.wish.addColumns
      ? context.wanted.flatMap((table) => addedColumns(table).indexes)
      : []),
    ...indexes.flatMap((index) => [
      verbatim(way === 'forward' ? (renumberedIndex(index, numbered)?.sql ?? index.sql) : index.sql),
      template('convert/rebuild-index', { table: identifier(index.name) }),
    ]),
    ...views.map(textFor),
    ...triggers.map(textFor),
  ];
}

/** Triggers and views that tell a virtual table the number of a row, as they have to be afterwards. */
function rewrittenObjects({ objects, numbered, virtual, rebuilt }: Context): Map<SchemaObject, string> {
  const rewritten = new Map<SchemaObject, string>();
  const keyColumns = new Map(rebuilt.map(({ table, keys }) => [table.name, new Set(keys.keys())]));
  for (const index of virtual) {
    const changed = renumberedIndex(index, numbered);
    const isOfView = isViewOf(contentOf(index), objects, numbered);
    if (isOfView || (changed !== null && changed.content.rowid === null))
      throw unclear(`the index "${index.name}"`);
  }
  for (const object of objects) {
    if (object.type !== 'trigger' && object.type !== 'view') continue;
    const on = object.type === 'trigger' ? object.tableName : null;
    const result = renumbered(object.sql, on, numbered, virtual, keyColumns);
    if (result.unclear) throw unclear(`the ${object.type} "${object.name}"`);
    if (mistakesRowNumbers(result.sql, on, numbered, keyColumns)) throw mistaken(object);
    if (result.sql !== object.sql) rewritten.set(object, result.sql);
  }
  return rewritten;
}

/** Whether a view of that name shows rows of one of these tables, itself or through another. */
function isViewOf(
  name: string | undefined,
  objects: readonly SchemaObject[],
  tables: readonly NumberedTable[],
  seen: readonly SchemaObject[] = [],
): boolean {
  const view = objects.find((each) => each.type === 'view' && isSame(name, each.name));
  if (view === undefined || seen.includes(view)) return false;
  return tokensOf(view.sql).some(
    (token) =>
      tables.some((table) => isSame(token.name, table.name)) ||
      isViewOf(token.name, objects, tables, [...seen, view]),
  );
}

function mistaken({ type, name }: SchemaObject): SyncError {
  return new SyncError(
    'not_convertible',
    `the ${type} "${name}" takes the number of a row (rowid) for its key`,
    {
      hint: 'Drop it, convert, and make it anew: the key where a key is meant, rowid for a virtual table; nothing was changed.',
      exitCode: 2,
    },
  );
}

function unclear(what: string): SyncError {
  return new SyncError(
    'not_convertible',
    `${what} tells a virtual table the key of a row in a way that can't be converted`,
    {
      hint: 'Drop it, convert, and make it anew with rowid in the place of the key; nothing was changed.',
      exitCode: 2,
    },
  );
}

/** SQLite's count for AUTOINCREMENT, which dropping a table forgets. */
function sequenceSql(context: Context, each: Rebuilt, way: Way): Sql[] {
  const { table } = each;
  const name = literal(table.name);
  const forget = template('convert/forget-sequence', { name });
  if (keepsAutoincrement(context, each)) return [forget, template('convert/put-back-sequence', { name })];
  const seq =
    way === 'backward' && isAutoincrement(context, table) ? sequenceOf(context.database, table) : null;
  if (seq === null) return [];
  const column = identifier(table.primaryKey[0] ?? '');
  const set = { name, seq: fragment(String(seq)), column, table: identifier(table.name) };
  return [forget, template('convert/set-sequence', set)];
}
