import type { Changelog } from '../changelog/changelog.js';
import type { KeyRange } from '../changelog/stretch.js';
import type { FingerprintClient } from '../pull/fingerprint-client.js';
import { keyText } from '../wire/key-text.js';
import type { FoundRow } from '../wire/found-row.js';
import { sumToWire } from '../wire/sums.js';
import type { SqlValue } from '../wire/value.js';
import { differenceOf } from './difference.js';
import { localSum, stretches, type ComparedTable } from './local-side.js';

/** A part that differs is divided into so many. */
const BRANCHES = 16;
/** A part of no more rows is compared row by row. */
const LEAF_ROWS = 64;
/** Rows of a table that are looked at one by one; with more differences than that, the search ends. */
export const MAX_SUSPECTS = 10_000;

/** What a first comparison of a table found, beside whatever writes there were meanwhile. */
export interface Suspects {
  /** Rows compared here. */
  readonly rows: number;
  readonly keys: readonly (readonly SqlValue[])[];
  /** True where there are more than these. */
  readonly more: boolean;
}

export interface Search {
  readonly changelog: Changelog;
  readonly compared: ComparedTable;
  readonly peer: FingerprintClient;
  /** Called with the rows compared so far. */
  readonly onProgress: (rows: number) => void;
}

/** Compares a table with the peer's by sums over ranges of keys, and goes into those that differ only. */
export async function findSuspects(search: Search, rowsHere: number): Promise<Suspects> {
  const found = new Map<string, readonly SqlValue[]>();
  const { table, columns } = search.compared;
  let rows = 0;

  async function divide(range: KeyRange, partRows: number, isTop: boolean): Promise<void> {
    for (let { after } = range; found.size <= MAX_SUSPECTS;) {
      const answer = await search.peer.parts({ table: table.name, columns, ...range, after }, partRows);
      for (const part of answer.parts) {
        const here = { after, upto: part.upto };
        const sum = sumToWire(localSum(search.changelog, search.compared, here));
        after = part.upto;
        if (sum.content !== part.content || sum.versions !== part.versions || sum.rows !== part.rows) {
          if (part.rows <= LEAF_ROWS || sum.rows === 0) await compareRows(here);
          else await divide(here, partRowsOf(part.rows), false);
        }
        if (!isTop) continue;
        rows += sum.rows;
        search.onProgress(rows);
      }
      if (answer.complete || after === null) return;
    }
  }

  async function compareRows(range: KeyRange): Promise<void> {
    const there = await rowsThere(range);
    for (const rowsHere of stretches(search.changelog, search.compared, range)) {
      for (const row of rowsHere) {
        const text = keyText(row.key);
        const other = there.get(text);
        there.delete(text);
        if (other === undefined || differenceOf(row, other) !== null) suspect(text, row.key);
      }
      if (found.size > MAX_SUSPECTS) return;
    }
    for (const [text, row] of there) suspect(text, row.key);
  }

  async function rowsThere(range: KeyRange): Promise<Map<string, FoundRow>> {
    const there = new Map<string, FoundRow>();
    for (let { after } = range; there.size <= MAX_SUSPECTS;) {
      const answer = await search.peer.list({ table: table.name, columns, ...range, after });
      for (const row of answer.rows) there.set(keyText(row.key), row);
      after = answer.rows.at(-1)?.key ?? null;
      if (answer.complete || after === null) break;
    }
    return there;
  }

  function suspect(text: string, key: readonly SqlValue[]): void {
    found.set(text, key);
  }

  await divide({ after: null, upto: null }, partRowsOf(rowsHere), true);
  return { rows, keys: [...found.values()].slice(0, MAX_SUSPECTS), more: found.size > MAX_SUSPECTS };
}

function partRowsOf(rows: number): number {
  return Math.max(LEAF_ROWS, Math.ceil(rows / BRANCHES));
}
