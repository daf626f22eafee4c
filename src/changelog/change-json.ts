import type { ReplicatedTable } from '../database/replicable.js';
import { toWireJson, type SqlValue } from '../wire/value.js';
import type { Changelog } from './changelog.js';
import { isDoubtful } from './fingerprint-function.js';
import { exactKey, exactRow, type PlainValue } from './row.js';

/** Cells of sql/feed/rows.sql before the key and the row; numbers among them come as REAL, which is no BigInt. */
export const FIXED_CELLS = 10;
export const ID_CELL = 0;
export const UNFOLDED_CELL = 7;
export const CLAIMED_CELL = 8;

/**
 * Makes the function that writes a row of sql/feed/rows.sql as a change of a page (JSON), part by part: a page has
 * thousands of them, and an object for each cell costs more than the text. What the puller claims is written as its name,
 * without the row. Null where row and version disagree, so that some trigger was missing: that waits until it is
 * reconciled.
 */
export function changeWriter(changelog: Changelog, table: ReplicatedTable) {
  const name = JSON.stringify(table.name);
  const columns = table.columns.map((column) => `${JSON.stringify(column)}:`);
  const origins = new Map<unknown, string>();
  const originOf = (id: unknown): string => {
    const known = origins.get(id) ?? JSON.stringify(changelog.origins.nameOf(Number(id)));
    origins.set(id, known);
    return known;
  };
  return (row: readonly PlainValue[]): string | null => {
    const [id, rank, stamp, origin, fingerprint, seen, isPresent, , isClaimed, originSeq] = row;
    const present = isPresent === 1;
    const named = isClaimed === 1;
    if (!named && present !== (fingerprint !== '')) return null;
    const { key, values } = exactCells(changelog, table, row, present && !named);
    const operation = fingerprint === '' ? 'delete' : 'upsert';
    let json = `{"seq":${String(id)},"table":${name},"operation":"${operation}","key":[${key.map(toWireJson).join()}]`;
    if (rank !== null) json += `,"rank":${String(rank)}`;
    json += `,"stamp":${String(stamp)},"origin":${originOf(origin)}`;
    if (fingerprint !== '') json += `,"fingerprint":"${String(fingerprint)}"`;
    if (named) return `${json}}`;
    if (typeof seen === 'string') json += `,"seen":${seen}`;
    if (originSeq !== null) json += `,"origin_seq":${String(originSeq)}`;
    return `${json},"record":${present ? recordJson(columns, values) : 'null'}}`;
  };
}

function recordJson(columns: readonly string[], values: readonly SqlValue[]): string {
  let json = '';
  for (const [index, column] of columns.entries()) {
    json += (index === 0 ? '{' : ',') + column + toWireJson(values[index] ?? null);
  }
  return `${json}}`;
}

/** Key and row, read again byte for byte where some text may not be what JavaScript shows. */
function exactCells(
  changelog: Changelog,
  table: ReplicatedTable,
  row: readonly PlainValue[],
  present: boolean,
): { key: readonly SqlValue[]; values: readonly SqlValue[] } {
  const firstValue = FIXED_CELLS + table.key.length;
  const cells = { key: row.slice(FIXED_CELLS, firstValue), values: row.slice(firstValue) };
  if (!row.some(isDoubtful)) return cells;
  const id = Number(row[ID_CELL]);
  return {
    key: exactKey(changelog, table, id),
    values: present ? exactRow(changelog, table, id) : cells.values,
  };
}
