import type { WireChange } from '../wire/change.js';
import { MAX_PAGE_BYTES, MAX_ROW_BYTES, type OversizedRow } from '../wire/page.js';

/** What a page takes in, in the order of the log, until it is full. */
export interface Basket {
  /** JSON of changes, UTF-8: each holds one, or several with commas between them. */
  readonly parts: Uint8Array[];
  changes: number;
  readonly oversized: OversizedRow[];
  bytes: number;
  /** The last entry that the page covers. */
  last: number;
  full: boolean;
  /** The next row, or a page of rows anywhere, was written since the fold, or the next contradicts its version. */
  atUnfolded: boolean;
  /** Log ids of versions that the next row contradicts. */
  readonly contradicted: number[];
}

export function emptyBasket(since: number): Basket {
  return {
    parts: [],
    changes: 0,
    oversized: [],
    bytes: 0,
    last: since,
    full: false,
    atUnfolded: false,
    contradicted: [],
  };
}

/** Takes in one change; false where the page has no room for it. */
export function addChange(basket: Basket, json: string): boolean {
  const part = Buffer.from(json, 'utf8');
  if (part.length > MAX_ROW_BYTES) {
    const { seq, table, key } = JSON.parse(json) as WireChange;
    basket.oversized.push({ seq, table, key });
    return true;
  }
  if (addChanges(basket, part, 1)) return true;
  basket.full = true;
  return false;
}

/** Takes in changes as they stand in a page; false where it has no room for all of them. One at least is always in. */
export function addChanges(basket: Basket, part: Uint8Array, changes: number): boolean {
  const isFirst = basket.changes === 0 && changes === 1;
  if (!isFirst && basket.bytes + part.length > MAX_PAGE_BYTES) return false;
  basket.parts.push(part);
  basket.bytes += part.length;
  basket.changes += changes;
  return true;
}

/** The page as JSON, in memory of its own, so that another thread can take it over. */
export function joinPage(head: object, basket: Basket, tail: object): Uint8Array<ArrayBuffer> {
  const before = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"changes":[`);
  const after = Buffer.from(`],${JSON.stringify(tail).slice(1)}`);
  const commas = Math.max(0, basket.parts.length - 1);
  const page = Buffer.allocUnsafeSlow(before.length + basket.bytes + commas + after.length);
  let at = before.copy(page);
  for (const [index, part] of basket.parts.entries()) {
    if (index > 0) at = page.writeUInt8(COMMA, at);
    page.set(part, at);
    at += part.length;
  }
  after.copy(page, at);
  return page;
}

const COMMA = ','.charCodeAt(0);
