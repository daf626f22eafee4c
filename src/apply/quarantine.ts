import { tableNamed, type Changelog } from '../changelog/changelog.js';
import { sqliteCodeOf } from '../database/open.js';
import { messageOf } from '../errors.js';
import { statement } from '../sql/template.js';
import { toChange, type Change, type WireChange } from '../wire/change.js';
import { compareVersions, hasSeen, sameContent, type Version } from '../wire/version.js';
import { keyText } from '../wire/key-text.js';
import { dueMsOf } from './ahead.js';
import { noteConflict, type Meeting, type Side } from './ledger.js';
import { findRow, findVersion, type ApplyClock } from './local.js';
import { decidedBy } from './strategy.js';

/** Why a change can't be applied here, in words for a person. `unique:` marks those that later changes may free. */
export type Reason = string;

/** Keeps a change that can't be applied, newest version of a row only: one that this had not seen goes to the ledger. */
export function quarantine(
  changelog: Changelog,
  change: Change,
  reason: Reason,
  origin: ApplyClock & { readonly peer: string; readonly sinceMs?: number },
): void {
  const held = heldChange(changelog, change);
  if (held !== null) {
    const isGreater = compareVersions(held.change.version, change.version) > 0;
    const [winner, loser] = isGreater ? [held.change, change] : [change, held.change];
    noteUnseen(changelog, winner, loser, isGreater ? 'winner' : 'loser', origin.nowMs);
    if (isGreater) return;
  }
  changelog.prepare(statement('apply/quarantine')).run({
    table: change.table,
    key: keyText(change.key),
    change: JSON.stringify({ ...ownFields(change.wire), origin_seq: change.originSeq }),
    peer: origin.peer,
    reason,
    sinceMs: origin.sinceMs ?? origin.nowMs,
    dueMs: dueMsOf(change, reason, origin),
  });
}

/** Without what else the sender has put beside them, of whatever depth and size. */
function ownFields(wire: WireChange): WireChange {
  const { seq, table, operation, key, rank, stamp, origin, fingerprint, seen, record } = wire;
  return { seq, table, operation, key, rank, stamp, origin, fingerprint, seen, record };
}

/**
 * Releases what is held of a row where a change that was just resolved, or what stands here now, takes its place: to
 * the ledger where it was not known to that, and nowhere where a person is to decide between the two. Returns whether
 * that made a conflict.
 */
export function reviewHeld(changelog: Changelog, change: Change, { nowMs }: ApplyClock): boolean {
  const held = heldChange(changelog, change);
  const table = tableNamed(changelog, change.table);
  if (held === null || table === undefined) return false;
  const { version } = held.change;
  if (hasSeen(change.version, version)) {
    release(changelog, held.id);
    return false;
  }
  const local = findVersion(changelog, table, change.key);
  if (local === null || compareVersions(local.version, version) <= 0) return false;
  if (!isKnown(local.version, version) && decidedBy(changelog, table, version) === 'nobody') return false;
  release(changelog, held.id);
  const here = { version: local.version, record: findRow(changelog, table, change.key) };
  return noteUnseen(changelog, here, held.change, 'winner', nowMs);
}

/** Keeps in the ledger what loses to a version that had not seen it. */
function noteUnseen(
  changelog: Changelog,
  winner: Side,
  loser: Change,
  local: Meeting['local'],
  nowMs: number,
): boolean {
  if (isKnown(winner.version, loser.version)) return false;
  const meeting = { winner, loser, local, winnerKey: null, decidedBy: 'version' } as const;
  return noteConflict(changelog, { name: loser.table }, loser.key, meeting, nowMs);
}

function isKnown(winner: Version, loser: Version): boolean {
  return sameContent(winner, loser) || hasSeen(winner, loser);
}

/** Forgets a held change. */
export function release(changelog: Changelog, id: number): void {
  changelog.prepare(statement('apply/release')).run({ id });
}

export function isAnythingHeld(changelog: Changelog): boolean {
  return (changelog.prepare(statement('apply/any-quarantined')).get() as { found: number }).found === 1;
}

/** The reason of an error that a row caused; null for one of the database's or the machine's, which has to be raised. */
export function reasonOf(error: unknown): Reason | null {
  const code = sqliteCodeOf(error);
  if (code === undefined) return null;
  if (isClash(code)) return `unique: ${messageOf(error)}`;
  if (code.startsWith('SQLITE_CONSTRAINT') || ROW_FAULTS.has(code)) return messageOf(error);
  return null;
}

export function isClash(code: string): boolean {
  return CLASHES.has(code);
}

const CLASHES = new Set([
  'SQLITE_CONSTRAINT_UNIQUE',
  'SQLITE_CONSTRAINT_PRIMARYKEY',
  'SQLITE_CONSTRAINT_ROWID',
]);

/** The errors come from functions and collations of the app's, in a trigger, CHECK or index, which are not known here. */
const ROW_FAULTS = new Set([
  'SQLITE_MISMATCH',
  'SQLITE_TOOBIG',
  'SQLITE_ERROR',
  'SQLITE_ERROR_MISSING_COLLSEQ',
]);

/** The change of a row that is held; null where none is. */
export function heldChange(
  changelog: Changelog,
  { table, key }: Pick<Change, 'table' | 'key'>,
): { id: number; change: Change } | null {
  const bound = { table, key: keyText(key) };
  const row = changelog.prepare(statement('apply/quarantined')).get(bound) as
    { id: number; change: string } | undefined;
  if (row === undefined) return null;
  return { id: row.id, change: toChange(JSON.parse(row.change), `quarantine ${row.id}`) };
}
