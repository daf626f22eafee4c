import { isAscii, isUtf8, transcode } from 'node:buffer';
import { z } from 'zod';
import {
  isNamed,
  toChange,
  toNamed,
  wireStamp,
  wireValue,
  type Change,
  type Named,
  type WireChange,
  type WireNamed,
} from './change.js';
import { MAX_CURSOR_LENGTH, parseCursor } from './cursor.js';
import { checked, damaged } from './damaged.js';
import { MAX_PAGE_CHANGES } from './http.js';
import { EPOCH, instanceOf, NODE_ID } from './instance.js';
import { requireModestStructure } from './json-structure.js';
import { heardSchema, membersSchema, type Heard, type Member } from './members.js';
import type { WireValue } from './value.js';
import { MAX_RANK } from './version.js';
import { serverTime } from './server-time.js';

/** Raised when an older replica could not read what a newer one sends. */
export const PROTOCOL = 1;

/** Rows of a page end here, in bytes of JSON; one row at least is always in. */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** A row above this, in bytes of JSON, is reported, not sent. */
export const MAX_ROW_BYTES = 64 * 1024 * 1024;

/** Tables that a page says something of. */
const MAX_PRUNED_TABLES = 10_000;

/** Instances that the versions of a page name: each becomes a row here, and a group has a few. */
const MAX_PAGE_INSTANCES = 10_000;

/** Rows that a page names as too large; they do not count as its changes. */
const MAX_OVERSIZED_ROWS = 100_000;

export interface PrunedTable {
  readonly table: string;
  readonly stamp: number;
  readonly rank: number;
}

/** A row that is too large to travel (`MAX_ROW_BYTES`). */
export interface OversizedRow {
  readonly seq: number;
  readonly table: string;
  readonly key: readonly WireValue[];
}

export interface WirePage {
  readonly protocol: number;
  readonly node: string;
  readonly epoch: string;
  readonly server_time_ms: number;
  /** By their place in the log. What the puller claims to have comes as its name. */
  readonly changes: readonly (WireChange | WireNamed)[];
  readonly next_cursor: string;
  readonly has_more: boolean;
  /** Entries of the log after `next_cursor`, at most. */
  readonly behind: number;
  readonly oversized?: readonly OversizedRow[] | undefined;
  /** With the last page of a pull: everyone that the sender has heard of; absent where that was told before. */
  readonly members?: readonly Member[] | undefined;
  /** With the last page of a pull: the puller has everything of this log now, but for what is too large. */
  readonly complete?: boolean | undefined;
  /** With the last page of a pull: what the sender claims may be taken over with it. */
  readonly vouches?: boolean | undefined;
  /** How far this replica has read the puller's log: a puller that does not know this place was restored. */
  readonly your_cursor?: string | undefined;
  /** The instance of the puller's node that this replica last heard of, where it is another than asks. */
  readonly your_instance?: Heard | undefined;
  /** True where the sender's epoch is not the first of its file: it is a copy, or a restored backup. */
  readonly renewed?: boolean | undefined;
  /** With the last page of a pull: the newest stamp, and the largest rank, of what was pruned anywhere, by table. */
  readonly pruned?: readonly PrunedTable[] | undefined;
}

const wirePage = z.object({
  protocol: z.literal(PROTOCOL),
  node: z.string().regex(NODE_ID, 'is not a node id'),
  epoch: z.string().regex(EPOCH, 'is not an epoch'),
  server_time_ms: serverTime,
  changes: z.array(z.unknown()).max(MAX_PAGE_CHANGES),
  next_cursor: z.string().max(MAX_CURSOR_LENGTH),
  has_more: z.boolean(),
  behind: z.number().int().nonnegative(),
  oversized: z
    .array(
      z.object({
        seq: z.number().int().nonnegative(),
        table: z.string().min(1),
        key: z.array(wireValue).min(1),
      }),
    )
    .max(MAX_OVERSIZED_ROWS)
    .optional(),
  members: membersSchema.optional(),
  complete: z.boolean().default(false),
  vouches: z.boolean().default(false),
  your_cursor: z.string().max(MAX_CURSOR_LENGTH).optional(),
  your_instance: heardSchema.optional(),
  renewed: z.boolean().default(false),
  pruned: z
    .array(
      z.strictObject({
        table: z.string().min(1),
        stamp: wireStamp,
        rank: z.number().int().min(0).max(MAX_RANK),
      }),
    )
    .max(MAX_PRUNED_TABLES)
    .default([]),
});

export interface Page extends Omit<WirePage, 'changes'> {
  readonly changes: readonly Change[];
  /** Versions that we claim to have, or newer ones. */
  readonly named: readonly Named[];
  readonly complete: boolean;
  readonly vouches: boolean;
  readonly renewed: boolean;
  readonly pruned: readonly PrunedTable[];
  /** It was read from a file that may be older than what was pruned here. */
  readonly stale?: boolean;
}

/** Reads a page; throws `page_damaged` with the first fault and its place. */
export function parsePage(body: Uint8Array): Page {
  const page = checked(wirePage, parseJson(body), 'page');
  const origins = new Set<string>();
  const via = instanceOf(page);
  const changes: Change[] = [];
  const named: Named[] = [];
  const inOrder = orderCheck(page);
  for (const [index, value] of page.changes.entries()) {
    const place = `changes[${index}]`;
    if (isNamed(value)) named.push(toNamed(value, place, origins));
    else changes.push(toChange(value, place, origins, via));
    inOrder((value as WireNamed).seq, place);
    if (origins.size > MAX_PAGE_INSTANCES) throw damaged(`${place}: the page names too many instances`);
  }
  return { ...page, changes, named };
}

/** Makes the function that is told each change's place in the log: they rise, and none lies after the page's cursor. */
function orderCheck({
  epoch,
  next_cursor,
}: Pick<WirePage, 'epoch' | 'next_cursor'>): (seq: number, place: string) => void {
  const end = parseCursor(next_cursor);
  if (end?.epoch !== epoch) throw damaged('page.next_cursor: is not a cursor of this log');
  let last = 0;
  return (seq, place) => {
    if (seq <= last) throw damaged(`${place}.seq: does not come after the one before it`);
    if (seq > end.logId) throw damaged(`${place}.seq: lies after the cursor of the page`);
    last = seq;
  };
}

/** `Buffer.toString` takes nearly twice as long for text that is not all ASCII. */
function decodeUtf8(body: Uint8Array): string {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (!isUtf8(bytes)) throw new TypeError('Expected UTF-8');
  return transcode(bytes, 'utf8', 'utf16le').toString('utf16le');
}

function parseJson(body: Uint8Array): unknown {
  requireModestStructure(body);
  try {
    return JSON.parse(decodeUtf8(body));
  } catch (cause) {
    throw damaged('the page is not JSON', cause);
  }
}
