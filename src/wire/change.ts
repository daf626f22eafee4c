import { z } from 'zod';
import { MAX_STAMP_MS } from '../clock/stamp.js';
import { checked, damaged } from './damaged.js';
import { MAX_RANK, type Version } from './version.js';
import { fromWire, type SqlValue, type WireValue } from './value.js';
import { INSTANCE } from './instance.js';
import type { SyncError } from '../errors.js';

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
  /** The log id that the version has in its author's log; absent where that is `seq`, or unknown. */
  readonly origin_seq?: number | undefined;
  readonly record: Readonly<Record<string, WireValue>> | null;
}

/** A version of a row that the puller claims to have, as it travels: its name, without the row. */
export type WireNamed = Omit<WireChange, 'seen' | 'origin_seq' | 'record'>;

/** The same with its key decoded. */
export type Named = Pick<Change, 'table' | 'key' | 'version'>;

/** A change whose values are decoded. */
export interface Change {
  readonly table: string;
  readonly key: readonly SqlValue[];
  readonly version: Version;
  /** Column to value; null for a delete. */
  readonly record: ReadonlyMap<string, SqlValue> | null;
  /** The log id that the version has in its author's log; undefined where that is unknown. */
  readonly originSeq?: number | undefined;
  /** The instance that sent it; undefined where it came otherwise. */
  readonly via?: string | undefined;
  /** As it came, to be kept where the change can't be applied. */
  readonly wire: WireChange;
}

const FINGERPRINT = /^[0-9a-f]{16}$/;

export { stamp as wireStamp, origin as wireOrigin };

const stamp = z.number().int().min(0).max(MAX_STAMP_MS);
const origin = z.string().regex(INSTANCE);
const NO_VALUE = 'is not a value of the protocol';
export const wireValue = z.custom<WireValue>((value) => fromWire(value) !== undefined, NO_VALUE);

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

/** What a change has to look like; `readChange` below asks the same, faster. */
export const wireChange = z.object({
  seq: z.number().int().nonnegative(),
  table: z.string().min(1),
  operation: z.enum(['upsert', 'delete']),
  key: z.array(wireValue).min(1),
  rank: z.number().int().min(0).max(MAX_RANK).optional(),
  stamp,
  origin,
  fingerprint: z.string().regex(FINGERPRINT).optional(),
  seen: z.record(origin, stamp).optional(),
  origin_seq: z.number().int().nonnegative().optional(),
  record: wireRecord.nullable(),
});

const wireNamed = wireChange.omit({ seen: true, origin_seq: true, record: true });

/** Whether an element of a page is a name, not a change. */
export function isNamed(value: unknown): boolean {
  return isObject(value) && !('record' in value);
}

/** Reads a name, as it stands in a page. Throws `page_damaged`. */
export function toNamed(value: unknown, place: string, origins: Set<string>): Named {
  const named = readName(value as WireNamed, origins);
  if (named !== null) return named;
  checked(wireNamed, value, place);
  throw badFingerprint(place);
}

/**
 * Reads one change, as it stands in a page or in the quarantine; `place` names it in an error. `origins` are those that
 * were read already: a page has few, each many times. `via` sent it, and what it authored has its own log ids. Throws
 * `page_damaged`.
 */
export function toChange(value: unknown, place: string, origins = new Set<string>(), via?: string): Change {
  const read = readChange(value as WireChange, origins, via);
  if (read !== null) return read;
  const wire = checked(wireChange, value, place);
  if ((wire.operation === 'upsert') !== (wire.record !== null))
    throw damaged(`${place}: operation and record differ`);
  throw badFingerprint(place);
}

function badFingerprint(place: string): SyncError {
  return damaged(`${place}.fingerprint: an upsert has one, a delete has none`);
}

/** The change, or null where anything in it is not as the schema says: that tells what. Row by row, so by hand. */
function readChange(wire: WireChange, origins: Set<string>, via: string | undefined): Change | null {
  const named = readName(wire, origins);
  if (named === null) return null;
  const {
    seen,
    seq,
    origin,
    origin_seq: originSeq = origin === via ? seq : undefined,
    record,
    operation,
  } = wire;
  if (seen !== undefined && !isSeen(seen, origins)) return null;
  if (originSeq !== undefined && !isCount(originSeq, Number.MAX_SAFE_INTEGER)) return null;
  const isUpsert = operation === 'upsert';
  const columns = isUpsert ? decodeRecord(record) : null;
  if (isUpsert !== (columns !== null) || (!isUpsert && record !== null)) return null;
  const { table, key, version } = named;
  return { table, key, version: { ...version, seen: seen ?? null }, record: columns, originSeq, via, wire };
}

/** What tells one version of one row from every other, or null where anything in it is not as the schema says. */
function readName(wire: WireNamed, origins: Set<string>): Named | null {
  if (!isObject(wire) || !isCount(wire.seq, Number.MAX_SAFE_INTEGER)) return null;
  const { table, operation, key, rank = 0, stamp, origin, fingerprint } = wire;
  if (typeof table !== 'string' || table === '' || !isCount(stamp, MAX_STAMP_MS)) return null;
  if (!isCount(rank, MAX_RANK) || !isOrigin(origin, origins)) return null;
  if (
    operation === 'upsert' ? !isFingerprint(fingerprint) : operation !== 'delete' || fingerprint !== undefined
  )
    return null;
  const values = Array.isArray(key) && key.length > 0 ? decodeAll(key) : null;
  if (values === null) return null;
  return { table, key: values, version: { rank, stamp, origin, fingerprint: fingerprint ?? '', seen: null } };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown, max: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max;
}

function isFingerprint(value: unknown): boolean {
  return typeof value === 'string' && FINGERPRINT.test(value);
}

function isOrigin(value: unknown, known: Set<string>): boolean {
  if (typeof value !== 'string') return false;
  if (known.has(value)) return true;
  if (!INSTANCE.test(value)) return false;
  known.add(value);
  return true;
}

function isSeen(value: unknown, origins: Set<string>): boolean {
  return (
    isObject(value) &&
    Object.entries(value).every(([name, stamp]) => isOrigin(name, origins) && isCount(stamp, MAX_STAMP_MS))
  );
}

function decodeAll(values: readonly WireValue[]): SqlValue[] | null {
  const decoded: SqlValue[] = [];
  for (const value of values) {
    const one = fromWire(value);
    if (one === undefined) return null;
    decoded.push(one);
  }
  return decoded;
}

function decodeRecord(record: unknown): Map<string, SqlValue> | null {
  if (!isObject(record)) return null;
  const columns = new Map<string, SqlValue>();
  // A million times a sync: a pair for each column would cost as much again.
  for (const name of Object.keys(record)) {
    const one = fromWire((record as Record<string, unknown>)[name]);
    if (one === undefined) return null;
    columns.set(name, one);
  }
  return columns;
}
