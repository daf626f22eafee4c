import type { Changelog } from '../changelog/changelog.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { statement } from '../sql/template.js';
import { toWire, type SqlValue } from '../wire/value.js';
import type { Version } from '../wire/version.js';

/** One side of a conflict. */
export interface Side {
  readonly version: Version;
  /** Null for a tombstone. */
  readonly record: ReadonlyMap<string, SqlValue> | null;
}

/** Keeps a version that was overruled without its being known to the winner's author, in full; once per version. */
export function noteConflict(
  changelog: Changelog,
  table: ReplicatedTable,
  key: readonly SqlValue[],
  sides: { winner: Side; loser: Side },
  nowMs: number,
): boolean {
  const { winner, loser } = sides;
  const noted = changelog.prepare(statement('apply/note-conflict')).run({
    table: table.name,
    key: keyText(key),
    foundMs: nowMs,
    loserStamp: loser.version.stamp,
    loserOrigin: loser.version.origin,
    loserFingerprint: loser.version.fingerprint,
    loser: sideText(loser),
    winner: sideText(winner),
  });
  return noted.changes > 0;
}

/** A key as one text, the same for the same key on every replica. */
export function keyText(key: readonly SqlValue[]): string {
  return JSON.stringify(key.map(toWire));
}

function sideText({ version, record }: Side): string {
  const row =
    record === null ? null : Object.fromEntries([...record].map(([name, value]) => [name, toWire(value)]));
  return JSON.stringify({ stamp: version.stamp, origin: version.origin, seen: version.seen, record: row });
}
