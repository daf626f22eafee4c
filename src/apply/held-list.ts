import type { Database } from 'better-sqlite3';
import { SyncError } from '../errors.js';
import { statement } from '../sql/template.js';
import { toChange, type Change, type WireChange } from '../wire/change.js';
import type { WireValue } from '../wire/value.js';
import { withinBytes } from './within-bytes.js';

/** A change in quarantine as `quarantine --json` shows it. */
export interface Held {
  readonly id: number;
  readonly table: string;
  readonly key: readonly WireValue[];
  /** The peer that sent it. */
  readonly peer: string;
  readonly reason: string;
  /** ms since 1970. */
  readonly since_ms: number;
  /** The change in full, as it travelled. */
  readonly change: WireChange;
}

export interface HeldList {
  /** Oldest first, `MAX_LISTED` at most. */
  readonly quarantine: readonly Held[];
  /** How many there are, listed or not. */
  readonly total: number;
}

const MAX_LISTED = 1_000;

/** Each stands in a list in full: it is made in memory. */
const MAX_LISTED_BYTES = 64 * 1024 * 1024;

interface HeldRow {
  id: number;
  change: string;
  peer: string;
  reason: string;
  since_ms: number;
}

/** The oldest; a list ends before it holds more than `maxBytes`, but has one at least. */
export function listHeld(
  database: Database,
  { limit = MAX_LISTED, maxBytes = MAX_LISTED_BYTES } = {},
): HeldList {
  const counted = database.prepare<[], { held: number }>(statement('quarantine/count')).get();
  const oldest = database.prepare<unknown[], HeldRow>(statement('quarantine/after'));
  const rows = withinBytes(oldest.iterate({ after: 0, limit }), ({ change }) => [change], maxBytes);
  return { quarantine: rows.map(toHeld), total: counted?.held ?? 0 };
}

/** Held changes in the order of their ids, after one of them. */
export function heldAfter(database: Database, after: number, limit: number): Held[] {
  const sql = statement('quarantine/after');
  return database.prepare<unknown[], HeldRow>(sql).all({ after, limit }).map(toHeld);
}

/** What has to be tried again by now, in the order of the ids, after one of them. */
export function dueAfter(database: Database, nowMs: number, after: number, limit: number): Held[] {
  const sql = statement('quarantine/due');
  return database.prepare<unknown[], HeldRow>(sql).all({ nowMs, after, limit }).map(toHeld);
}

/** Throws `held_unknown`. */
export function readHeld(database: Database, id: number): Held {
  const row = database.prepare<unknown[], HeldRow>(statement('quarantine/by-id')).get({ id });
  if (row !== undefined) return toHeld(row);
  throw new SyncError('held_unknown', `There is no change ${id} in quarantine here.`, {
    hint: 'sqlite-p2p-sync quarantine list shows those that there are; one that was applied is gone from it.',
  });
}

/** The change to be applied. */
export function changeOf(held: Held): Change {
  return toChange(held.change, `quarantine ${held.id}`);
}

function toHeld({ change: text, ...row }: HeldRow): Held {
  const change = JSON.parse(text) as WireChange;
  const { id, peer, reason, since_ms } = row;
  return { id, table: change.table, key: change.key, peer, reason, since_ms, change };
}
