import { z } from 'zod';
import { SyncError } from '../errors.js';
import type { FoundRow } from './found-row.js';
import { toChange, wireOrigin, wireStamp, type Change, type WireChange } from './change.js';
import { shortened } from './shortened.js';
import type { RowState } from './row-state.js';
import type { WireSum } from './sums.js';
import { fromWire, toWire, type SqlValue, type WireValue } from './value.js';
import { MAX_RANK, type Version } from './version.js';

/** Parts that one answer of `GET /sync/fingerprint` holds at most. */
export const MAX_PARTS = 64;
/** Rows that a part or a list may be asked to hold. */
export const MAX_PART_ROWS = 100_000_000;
export const MAX_LISTED_ROWS = 1_000;
/** Keys that may be asked for at once. */
export const MAX_KEYS = 200;

/** A table as one replica has it. */
export interface TableShape {
  readonly name: string;
  readonly key: readonly string[];
  readonly columns: readonly string[];
}

/** A stretch of a table's keys: those after the part before it, up to `upto`; null: to the end. */
export interface WirePart extends WireSum {
  readonly upto: readonly WireValue[] | null;
}

export interface WireVersion {
  readonly rank?: number | undefined;
  readonly stamp: number;
  readonly origin: string;
  readonly fingerprint?: string | undefined;
  readonly seen?: Readonly<Record<string, number>> | undefined;
}

export interface WireListed {
  readonly key: readonly WireValue[];
  readonly fingerprint: string;
  readonly version: WireVersion | null;
}

export interface WireState extends Omit<RowState, 'key' | 'version'> {
  readonly key: readonly WireValue[];
  readonly version: WireVersion | null;
  /** The row with its version, as in a page; absent where not asked for, or where it can't travel now. */
  readonly change?: WireChange | undefined;
}

const NO_VALUE = 'is not a value of the protocol';
const value = z.custom<WireValue>((given) => fromWire(given) !== undefined, NO_VALUE);
const key = z.array(value).min(1);
const digits = z.string().regex(/^[0-9a-f]{16}$/);

const version = z.object({
  rank: z.number().int().min(0).max(MAX_RANK).optional(),
  stamp: wireStamp,
  origin: wireOrigin,
  fingerprint: digits.optional(),
  seen: z.record(wireOrigin, wireStamp).optional(),
});

const shapes = z.object({
  node: z.string(),
  epoch: z.string(),
  tables: z.array(z.object({ name: z.string(), key: z.array(z.string()), columns: z.array(z.string()) })),
});

const parts = z.object({
  parts: z.array(
    z.object({
      upto: key.nullable(),
      rows: z.number().int().nonnegative(),
      content: digits,
      versions: digits,
    }),
  ),
  complete: z.boolean(),
});

const list = z.object({
  rows: z.array(z.object({ key, fingerprint: digits, version: version.nullable() })),
  complete: z.boolean(),
});

const states = z.object({
  rows: z.array(
    z.object({
      key,
      fingerprint: digits.nullable(),
      version: version.nullable(),
      intact: z.boolean(),
      unfolded: z.boolean(),
      held: z.boolean(),
      conflict: z.boolean(),
      change: z.unknown().optional(),
    }),
  ),
});

/** A part as the verifying side reads it. */
export interface Part extends WireSum {
  readonly upto: readonly SqlValue[] | null;
}

export interface StateWithChange extends RowState {
  readonly change: Change | null;
}

/** The tables of a replica, and its present instance. */
export interface Shapes {
  readonly origin: string;
  readonly tables: readonly TableShape[];
}

export function parseShapes(body: unknown): Shapes {
  const { node, epoch, tables } = checked(shapes, body);
  return { origin: `${node}@${epoch}`, tables };
}

export function parseParts(body: unknown): { parts: Part[]; complete: boolean } {
  const read = checked(parts, body);
  return {
    complete: read.complete,
    parts: read.parts.map((part) => ({ ...part, upto: part.upto?.map(decoded) ?? null })),
  };
}

export function parseList(body: unknown): { rows: FoundRow[]; complete: boolean } {
  const read = checked(list, body);
  const rows = read.rows.map((row) => ({
    key: row.key.map(decoded),
    fingerprint: row.fingerprint,
    version: versionFromWire(row.version),
  }));
  return { complete: read.complete, rows };
}

export function parseStates(body: unknown): StateWithChange[] {
  return checked(states, body).rows.map(({ change, ...state }, index) => ({
    ...state,
    key: state.key.map(decoded),
    version: versionFromWire(state.version),
    change: change === undefined ? null : toChange(change, `rows[${index}].change`),
  }));
}

export function versionToWire(from: Version | null): WireVersion | null {
  if (from === null) return null;
  return {
    ...(from.rank === 0 ? {} : { rank: from.rank }),
    stamp: from.stamp,
    origin: from.origin,
    ...(from.fingerprint === '' ? {} : { fingerprint: from.fingerprint }),
    ...(from.seen === null ? {} : { seen: from.seen }),
  };
}

export function keyToWire(from: readonly SqlValue[]): WireValue[] {
  return from.map(toWire);
}

function versionFromWire(from: WireVersion | null): Version | null {
  if (from === null) return null;
  const { rank = 0, stamp, origin, fingerprint = '', seen = null } = from;
  return { rank, stamp, origin, fingerprint, seen };
}

function decoded(from: WireValue): SqlValue {
  const result = fromWire(from);
  if (result === undefined) throw new TypeError('Expected a checked value');
  return result;
}

function checked<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new SyncError(
    'answer_damaged',
    `the fingerprints of the peer can not be read: ${shortened(`${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`)}`,
    { hint: 'Install the same version of sqlite-p2p-sync on both.', cause: result.error },
  );
}
