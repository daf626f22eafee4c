import { isUtf8 } from 'node:buffer';
import { recordColumns, recordColumnsOf, recordsMatch, rowMatches } from '../database/record-columns.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { fragment, identifier, joinSql, literal, template, type Sql } from '../sql/template.js';
import { addChange, addChanges, type Basket } from './basket.js';
import { changeWriter, CLAIMED_CELL, ID_CELL, UNFOLDED_CELL } from './change-json.js';
import type { Changelog } from './changelog.js';
import type { Had } from './had.js';
import { rowColumns, type PlainValue } from './row.js';

/*
 * SQLite writes the changes of a page by the hundred, in a third of the time that it takes to write them one by one. It
 * can't where a row is large, its text is not clean, it waits for the fold or contradicts its version, or the page ends
 * among them; then they are written one by one.
 */

/** Changes that are written at once, at most. */
const AT_ONCE = 256;

/** Rows above this, in bytes as they are stored, are written one by one. */
const MOST_BYTES_AT_ONCE = 16_384;

/** Tables with more columns are: a function of SQLite's takes no more arguments. */
const MOST_COLUMNS_AT_ONCE = 400;

/** A stretch of the log that holds entries of one table. */
export interface Run {
  readonly table: ReplicatedTable;
  readonly first: number;
  readonly last: number;
}

/** Takes in the rows of a run as they are now, until the page is full or a row has to wait. */
export function fillFrom(changelog: Changelog, had: Had, run: Run, hideSome: boolean, basket: Basket): void {
  const reading: Reading = { had, hideSome };
  const whereLeft = canWriteAtOnce(changelog, run.table)
    ? fillAtOnce(changelog, reading, run, basket)
    : run.first;
  if (whereLeft !== null) fillOneByOne(changelog, reading, { ...run, first: whereLeft }, basket);
}

/** What all rows of a page have in common. */
interface Reading {
  readonly had: Had;
  /** Whether some rows wait for the fold. */
  readonly hideSome: boolean;
}

function canWriteAtOnce(changelog: Changelog, table: ReplicatedTable): boolean {
  return changelog.isUtf8 && table.columns.length <= MOST_COLUMNS_AT_ONCE;
}

interface NextChanges {
  readonly entries: number;
  /** How many of them are in `changes`. */
  readonly written: number;
  readonly last: number;
  readonly changes: Uint8Array | null;
}

/** Null where it came to the end of the run or of the page, else the log id from where rows of the run are left. */
function fillAtOnce(changelog: Changelog, reading: Reading, run: Run, basket: Basket): number | null {
  const { had } = reading;
  const statement = changelog.prepare(changesSql(run.table, reading));
  const bound = { last: run.last, limit: AT_ONCE, mostBytes: MOST_BYTES_AT_ONCE, ...had.bound };
  for (let since = run.first - 1; since < run.last;) {
    const { entries, written, last, changes } = statement.get({ ...bound, since }) as NextChanges;
    const isWhole = changes !== null && written === entries && isUtf8(changes);
    if (isWhole && addChanges(basket, changes, written)) basket.last = last;
    else fillOneByOne(changelog, reading, { ...run, first: since + 1, last }, basket);
    // Contradicted versions are told of as many as there are.
    if (basket.contradicted.length > 0) return last + 1;
    if (basket.full || basket.atUnfolded) return null;
    since = last;
  }
  return null;
}

function changesSql(table: ReplicatedTable, { had, hideSome }: Reading): Sql {
  const key = recordColumns(table.key.length).map((column) => fragment('c.{{column}}', { column }));
  const row = table.columns.map((name) => fragment('w.{{name}}', { name: identifier(name) }));
  return template('feed/changes', {
    ...rowHoles(table, had, hideSome),
    tableJson: literal(JSON.stringify(table.name)),
    bytes: bytesOf([...key, ...row]),
    key: textOf(key.map((value, index) => [index === 0 ? '' : ',', value])),
    record: textOf(
      row.map((value, index) => [
        `${index === 0 ? '{' : ','}${JSON.stringify(table.columns[index])}:`,
        value,
      ]),
    ),
  });
}

/** Arguments of `concat`: texts, each with the value that comes after it. */
function textOf(parts: readonly (readonly [before: string, value: Sql])[]): Sql {
  return joinSql(
    parts.flatMap(([before, value]) => [literal(before), template('feed/wire-value', { value })]),
    ', ',
  );
}

/** How much these values take, without reading those that are large. */
function bytesOf(values: readonly Sql[]): Sql {
  return joinSql(
    values.map((value) => fragment('coalesce(octet_length({{value}}), 0)', { value })),
    ' + ',
  );
}

function fillOneByOne(
  changelog: Changelog,
  { had, hideSome }: Reading,
  { table, first, last }: Run,
  basket: Basket,
): void {
  const sql = template('feed/rows', {
    ...rowHoles(table, had, hideSome),
    recordColumns: recordColumnsOf(table, 'c'),
    rowColumns: rowColumns(table.columns),
  });
  const query = changelog.prepare(sql).safeIntegers(true).raw(true);
  const write = changeWriter(changelog, table);
  const bound = { first, last, ...had.bound };
  for (const row of query.iterate(bound) as IterableIterator<PlainValue[]>) {
    if (row[UNFOLDED_CELL] === 1 && row[CLAIMED_CELL] !== 1) {
      // Passed over, it might never come: a fold that finds the same content leaves its entry where it is.
      basket.atUnfolded = true;
      return;
    }
    const json = write(row);
    // Passed over, it might never come either: the same row may be back before anybody has noticed that it went.
    if (json === null) basket.contradicted.push(Number(row[ID_CELL]));
    basket.atUnfolded = basket.contradicted.length > 0;
    if (json === null || basket.atUnfolded) continue;
    if (!addChange(basket, json)) return;
    basket.last = Number(row[ID_CELL]);
  }
}

/** What both statements that read rows need to know. */
function rowHoles(table: ReplicatedTable, had: Had, hideSome: boolean): Readonly<Record<string, Sql>> {
  const tableName = literal(table.name);
  const firstKey = identifier(table.key[0]?.name ?? '');
  return {
    present: fragment('w.{{key}} IS NOT NULL', { key: firstKey }),
    table: identifier(table.name),
    tableName,
    rowMatches: rowMatches(table, 'w', 'c'),
    forPuller: had.forPuller,
    isClaimed: had.isClaimed,
    unfolded: hideSome
      ? template('feed/is-unfolded', { tableName, unfoldedMatches: recordsMatch(table, 'u', 'c') })
      : fragment('0'),
  };
}
