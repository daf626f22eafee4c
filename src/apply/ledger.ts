import type { Changelog } from '../changelog/changelog.js';
import { openTwin, settle } from '../changelog/settle.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { statement } from '../sql/template.js';
import { keyText } from '../wire/key-text.js';
import { toWire, type SqlValue } from '../wire/value.js';
import { hasSeen, type Version } from '../wire/version.js';
import type { DecidedBy } from './strategy.js';

/** One side of a conflict. */
export interface Side {
  readonly version: Version;
  /** Null for a tombstone. */
  readonly record: ReadonlyMap<string, SqlValue> | null;
}

/** Two versions that met, and which of them this replica had then. Where nobody decided, the loser is what arrived. */
export interface Meeting {
  readonly winner: Side;
  readonly loser: Side;
  readonly local: 'winner' | 'loser';
  /** The winner's key, where another row took the loser's unique value; null where both are versions of one row. */
  readonly winnerKey: readonly SqlValue[] | null;
  readonly decidedBy: DecidedBy;
}

/**
 * Keeps a version that was overruled without its being known to the winner's author, in full; once per version. One
 * open entry stands for all versions of a row with one content: true where this made it.
 */
export function noteConflict(
  changelog: Changelog,
  table: Pick<ReplicatedTable, 'name'>,
  key: readonly SqlValue[],
  { winner, loser, local, winnerKey, decidedBy }: Meeting,
  nowMs: number,
): boolean {
  const twin = winnerKey === null ? openTwin(changelog, table, key, loser.version) : null;
  const isKnown = twin !== null && hasSeen(twin.loser, loser.version);
  // A later version with that content stands for it from now on.
  const replaces = twin !== null && !isKnown && hasSeen(loser.version, twin.loser);
  const isOpen = twin === null || replaces;
  const noted = changelog.prepare(statement('apply/note-conflict')).run({
    table: table.name,
    key: keyText(key),
    foundMs: nowMs,
    settledMs: isOpen ? null : nowMs,
    copyOf: isOpen || isKnown ? null : twin.id,
    loserStamp: loser.version.stamp,
    loserOrigin: loser.version.origin,
    loserFingerprint: loser.version.fingerprint,
    loser: sideText(loser),
    winner: sideText(winner),
    localSide: local,
    winnerKey: winnerKey === null ? null : keyText(winnerKey),
    decidedBy,
  });
  // What is entered later in this transaction may have seen the loser.
  changelog.settling.nowMs = nowMs;
  if (replaces && noted.changes > 0) settle(changelog, twin.id, nowMs);
  return isOpen && noted.changes > 0;
}

function sideText({ version, record }: Side): string {
  const row =
    record === null ? null : Object.fromEntries([...record].map(([name, value]) => [name, toWire(value)]));
  return JSON.stringify({ ...version, record: row });
}
