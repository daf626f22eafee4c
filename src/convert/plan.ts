import type { Database } from 'better-sqlite3';
import { readTables, type Table } from '../database/table.js';
import { fragment, identifier, joinSql, literal, statement, template, type Sql } from '../sql/template.js';
import {
  keepsAutoincrement,
  schemaName,
  sequenceOf,
  textOf,
  type Context,
  type SchemaObject,
  type Way,
} from './context.js';
import type { Conversion, ConversionWish, Rebuilt } from './conversion.js';
import {
  findKeyColumns,
  integerKeyOf,
  namedReference,
  requireIntegers,
  requireTable,
  type KeyColumns,
} from './key-columns.js';
import { copyTable, numberByDefault, numberIn } from './new-table.js';
import { swapTables } from './swap.js';
import { readTableText } from './table-text.js';
import { newKeys } from './uuid.js';

/** Plans the conversion of a database as it is now. Throws with exit code 2 where it can't be done. */
export function planConversion(database: Database, wish: ConversionWish): Conversion {
  const tables = readTables(database);
  const wanted = [...new Set(wish.tables.map((name) => requireTable(tables, name)))];
  const references = wish.references.map((text) => namedReference(tables, text));
  const keyColumns = findKeyColumns(database, tables, wanted, references);
  const objects = database.prepare<[], SchemaObject>(statement('convert/objects')).all();
  const maps = wanted
    .filter(({ name }) => keyColumns.get(name)?.get(integerKeyOf(requireTable(tables, name))) === name)
    .map((table, place) => ({
      table,
      map: identifier(`_convert_ids_${place + 1}`),
      keys: newKeys(wish.ids, table.name, wish.nowMs),
    }));
  for (const { table } of maps) requireIntegers(database, table);
  const rebuilt = rebuiltTables(tables, keyColumns, new Map(maps.map(({ table, map }) => [table.name, map])));
  const context: Context = {
    database,
    wish,
    wanted,
    objects,
    maps,
    rebuilt,
    ...affected(tables, objects, rebuilt),
  };
  return {
    maps: maps.map(({ table, map }) => ({ table: table.name, map })),
    rebuilt,
    forward: plan(context, 'forward'),
    backward: plan(context, 'backward'),
  };
}

function rebuiltTables(
  tables: readonly Table[],
  keyColumns: KeyColumns,
  maps: ReadonlyMap<string, Sql>,
): Rebuilt[] {
  return tables.flatMap((table) => {
    const columns = keyColumns.get(table.name);
    if (columns === undefined) return [];
    const keys = new Map(
      [...columns].map(([column, owner]) => {
        const map = maps.get(owner);
        if (map === undefined) throw new TypeError(`Expected a map of the keys of "${owner}"`);
        return [column, map] as const;
      }),
    );
    return [{ table, temporary: `_convert_ids_new_${table.name}`, keys, rowid: rowidOf(table) }];
  });
}

/** A name of the row number that no column has; null: there is none. */
function rowidOf({ withoutRowid, columns }: Table): string | null {
  if (withoutRowid) return null;
  const free = ['rowid', '_rowid_', 'oid'].find(
    (name) => !columns.some((column) => column.name.toLowerCase() === name),
  );
  return free ?? null;
}

/** Who may have to say `rowid` afterwards, and to whom. */
function affected(
  tables: readonly Table[],
  objects: readonly SchemaObject[],
  rebuilt: readonly Rebuilt[],
): Pick<Context, 'numbered' | 'virtual'> {
  const numbered = rebuilt.flatMap(({ table, keys, rowid }) => {
    const [key = ''] = table.primaryKey;
    return table.primaryKey.length === 1 && keys.has(key)
      ? [{ name: table.name, key, rowid: table.rowidKey ? rowid : null }]
      : [];
  });
  const virtual = tables
    .filter(({ kind }) => kind === 'virtual')
    .map(({ name, columns }) => ({
      name,
      sql: objects.find((object) => object.type === 'table' && object.name === name)?.sql ?? '',
      columns: columns.map((column) => column.name),
    }));
  return { numbered, virtual };
}

function plan(context: Context, way: Way): Conversion['forward'] {
  const { maps, rebuilt } = context;
  const keepsSequence = rebuilt.some((each) => keepsAutoincrement(context, each));
  return {
    begin: [
      ...maps.map(({ map }) => template('convert/create-map', { map })),
      ...(keepsSequence ? [statement('convert/keep-sequence')] : []),
    ],
    fill: way === 'forward' ? fillForward(context) : fillBackward(context),
    copy: rebuilt.flatMap((each) => copyTable(context, each, way)),
    swap: swapTables(context, way),
    end: [
      ...maps.map(({ map }) => template('convert/drop-map', { map })),
      ...(keepsSequence ? [template('convert/drop-map', { map: identifier('_convert_ids_sequence') })] : []),
    ],
  };
}

function fillForward(context: Context): Sql[] {
  return context.maps.flatMap(({ map, keys }) => {
    const selects = context.rebuilt.flatMap(({ table, keys: columns }) =>
      [...columns]
        .filter(([, owner]) => owner === map)
        .map(([column]) =>
          template('convert/numbers', {
            number: numberIn(table, column, 't'),
            table: identifier(table.name),
          }),
        ),
    );
    const defaults = [...new Set(defaultsIn(context, map))].map((old) =>
      template('convert/note-key', { map, old: fragment(String(old)), new: literal(keys.of(old)) }),
    );
    return [
      ...defaults,
      template('convert/fill-map', { map, uuid: keys.sql, numbers: joinSql(selects, ' UNION ') }),
    ];
  });
}

function defaultsIn(context: Context, map: Sql): bigint[] {
  return context.rebuilt.flatMap(({ table, keys }) =>
    readTableText(textOf(context, table)).columns.flatMap((column) => {
      const found =
        keys.get(schemaName(table, column.name.name)) === map ? numberByDefault(table, column) : null;
      return found === null ? [] : [found.value];
    }),
  );
}

function fillBackward({ database, maps, rebuilt }: Context): Sql[] {
  return maps.map(({ table, map }) => {
    const [key = ''] = [...(rebuilt.find((each) => each.table === table)?.keys ?? [])]
      .filter(([, owner]) => owner === map)
      .map(([column]) => column)
      .filter((column) => table.primaryKey.includes(column));
    return template('convert/new-keys', {
      map,
      column: identifier(key),
      table: identifier(table.name),
      base: fragment(String(sequenceOf(database, table) ?? 0)),
    });
  });
}
