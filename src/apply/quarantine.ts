import type { Changelog } from '../changelog/changelog.js';
import { sqliteCodeOf } from '../database/open.js';
import { messageOf } from '../errors.js';
import { statement } from '../sql/template.js';
import { toChange, type Change } from '../wire/change.js';
import { compareVersions } from '../wire/version.js';
import { keyText } from '../wire/key-text.js';

/** Why a change can't be applied here, in words for a person. `unique:` marks those that later changes may free. */
export type Reason = string;

/** Keeps a change that can't be applied, newest version of a row only. */
export function quarantine(
  changelog: Changelog,
  change: Change,
  reason: Reason,
  origin: { peer: string; nowMs: number },
): void {
  const held = heldChange(changelog, change);
  if (held !== null && compareVersions(held.change.version, change.version) > 0) return;
  changelog.prepare(statement('apply/quarantine')).run({
    table: change.table,
    key: keyText(change.key),
    change: JSON.stringify(change.wire),
    peer: origin.peer,
    reason,
    sinceMs: origin.nowMs,
  });
}

/** Forgets what was held of a row that a version at least as new was applied to. */
export function releaseOlder(changelog: Changelog, change: Change): void {
  const held = heldChange(changelog, change);
  if (held !== null && compareVersions(held.change.version, change.version) <= 0) {
    changelog.prepare(statement('apply/release')).run({ id: held.id });
  }
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

function heldChange(changelog: Changelog, change: Change): { id: number; change: Change } | null {
  const bound = { table: change.table, key: keyText(change.key) };
  const row = changelog.prepare(statement('apply/quarantined')).get(bound) as
    { id: number; change: string } | undefined;
  if (row === undefined) return null;
  return { id: row.id, change: toChange(JSON.parse(row.change), `quarantine ${row.id}`) };
}
