import { z } from 'zod';
import { MAX_STAMP_MS } from '../clock/stamp.js';
import { SyncError } from '../errors.js';
import { membersSchema, type Member } from './members.js';
import { MAX_RANK, type Version } from './version.js';
import { MAX_CURSOR_LENGTH } from './cursor.js';
import { fromWire, type SqlValue, type WireValue } from './value.js';

/** Raised when an older replica could not read what a newer one sends. */
export const PROTOCOL = 1;

/** Rows of a page end here, in bytes of JSON; one row at least is always in. */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** A row above this, in bytes of JSON, is reported, not sent. */
export const MAX_ROW_BYTES = 64 * 1024 * 1024;

/** Tables that a page says something of. */
const MAX_PRUNED_TABLES = 10_000;

/** A change as it travels. */
export interface WireChange {
  readonly seq: number;
  readonly table: string;
  readonly operation: 'upsert' | 'delete';
  readonly key: readonly WireValue[];
  /** Absent: 0. */
  readonly rank?: number | undefined;
  readonly stamp: number;
  readonly origin: string;
  /** 16 hex digits; absent for a delete. */
  readonly fingerprint?: string | undefined;
  readonly seen?: Readonly<Record<string, number>> | undefined;
  readonly record: Readonly<Record<string, WireValue>> | null;
}

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
  readonly changes: readonly WireChange[];
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
  /** True where the sender's epoch is not the first of its file: it is a clone, or a restored backup. */
  readonly renewed?: boolean | undefined;
  /** With the last page of a pull: the newest stamp, and the largest rank, of what was pruned anywhere, by table. */
  readonly pruned?: readonly PrunedTable[] | undefined;
}

/** A change whose values are decoded. */
export interface Change {
  readonly table: string;
  readonly key: readonly SqlValue[];
  readonly version: Version;
  /** Column to value; null for a delete. */
  readonly record: ReadonlyMap<string, SqlValue> | null;
  /** As it came, to be kept where the change can't be applied. */
  readonly wire: WireChange;
}

const ORIGIN = /^[A-Za-z0-9._-]{1,64}@[0-9a-f]{1,64}$/;

export { stamp as wireStamp, origin as wireOrigin };

const stamp = z.number().int().min(0).max(MAX_STAMP_MS);
const origin = z.string().regex(ORIGIN);
const NO_VALUE = 'is not a value of the protocol';
const wireValue = z.custom<WireValue>((value) => fromWire(value) !== undefined, NO_VALUE);

/** By hand: a record of zod's loses a column that is called `__proto__`. */
const wireRecord = z
  .custom<Readonly<Record<string, WireValue>>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'is not a row',
  )
  .superRefine((record, context) => {
    for (const [name, value] of Object.entries(record)) {
      if (fromWire(value) !== undefined) continue;
      context.addIssue({ code: 'custom', path: [name], message: NO_VALUE });
    }
  });

const wireChange = z.object({
  seq: z.number().int().nonnegative(),
  table: z.string().min(1),
  operation: z.enum(['upsert', 'delete']),
  key: z.array(wireValue).min(1),
  rank: z.number().int().min(0).max(MAX_RANK).optional(),
  stamp,
  origin,
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
  seen: z.record(origin, stamp).optional(),
  record: wireRecord.nullable(),
});

const wirePage = z.object({
  protocol: z.literal(PROTOCOL),
  node: z.string(),
  epoch: z.string(),
  server_time_ms: z.number(),
  changes: z.array(z.unknown()),
  next_cursor: z.string(),
  has_more: z.boolean(),
  behind: z.number().int().nonnegative(),
  oversized: z.array(z.object({ seq: z.number(), table: z.string(), key: z.array(wireValue) })).optional(),
  members: membersSchema.optional(),
  complete: z.boolean().default(false),
  vouches: z.boolean().default(false),
  your_cursor: z.string().max(MAX_CURSOR_LENGTH).optional(),
  renewed: z.boolean().default(false),
  pruned: z
    .array(z.strictObject({ table: z.string().min(1), stamp, rank: z.number().int().min(0).max(MAX_RANK) }))
    .max(MAX_PRUNED_TABLES)
    .default([]),
});

export interface Page extends Omit<WirePage, 'changes'> {
  readonly changes: readonly Change[];
  readonly complete: boolean;
  readonly vouches: boolean;
  readonly renewed: boolean;
  readonly pruned: readonly PrunedTable[];
}

/** Reads a page; throws `page_damaged` with the first fault and its place. */
export function parsePage(body: Uint8Array): Page {
  const page = checked(wirePage, parseJson(body), 'page');
  return { ...page, changes: page.changes.map((change, index) => toChange(change, `changes[${index}]`)) };
}

/** Reads one change, as it stands in a page or in the quarantine; `place` names it in an error. */
export function toChange(value: unknown, place: string): Change {
  const wire = checked(wireChange, value, place);
  if ((wire.operation === 'upsert') !== (wire.record !== null))
    throw damaged(`${place}: operation and record differ`);
  if ((wire.record !== null) !== (wire.fingerprint !== undefined)) {
    throw damaged(`${place}.fingerprint: an upsert has one, a delete has none`);
  }
  return {
    table: wire.table,
    key: wire.key.map(decoded),
    version: {
      rank: wire.rank ?? 0,
      stamp: wire.stamp,
      origin: wire.origin,
      fingerprint: wire.fingerprint ?? '',
      seen: wire.seen ?? null,
    },
    record:
      wire.record === null
        ? null
        : new Map(Object.entries(wire.record).map(([name, value]) => [name, decoded(value)])),
    wire,
  };
}

function decoded(value: WireValue): SqlValue {
  const result = fromWire(value);
  if (result === undefined) throw new TypeError('Expected a checked value');
  return result;
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch (cause) {
    throw damaged('the page is not JSON', cause);
  }
}

function checked<T>(schema: z.ZodType<T>, value: unknown, place: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw damaged(
    `${[place, ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'is not valid'}`,
    result.error,
  );
}

function damaged(message: string, cause?: unknown): SyncError {
  return new SyncError('page_damaged', message, {
    hint: 'The page was discarded and will be asked for again; if it stays so, update both replicas.',
    cause,
  });
}
