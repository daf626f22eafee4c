import type { Database } from 'better-sqlite3';
import { SyncError } from '../errors.js';
import { statement } from '../sql/template.js';
import { toChange, type Change, type WireChange } from '../wire/change.js';
import type { WireValue } from '../wire/value.js';

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

interface HeldRow {
  id: number;
  change: string;
  peer: string;
  reason: string;
  since_ms: number;
}

export function listHeld(database: Database, limit = MAX_LISTED): HeldList {
  const counted = database.prepare<[], { held: number }>(statement('quarantine/count')).get();
  return { quarantine: heldAfter(database, 0, limit), total: counted?.held ?? 0 };
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
