import { authorOf, tableNamed, type Changelog } from '../changelog/changelog.js';
import { drawMark } from '../changelog/marks.js';
import { rankAfter } from '../changelog/next-version.js';
import { settle } from '../changelog/settle.js';
import { stampAfter } from '../clock/stamp.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { SyncError } from '../errors.js';
import { fromWire, type SqlValue, type WireValue } from '../wire/value.js';
import { seenAfterAll, type Version } from '../wire/version.js';
import { writableOf } from './apply-change.js';
import { copiesOf, readConflict, type Conflict, type ConflictSide } from './conflict-list.js';
import { guarded } from './guarded.js';
import {
  adoptLegacyRow,
  fingerprintOf,
  findRow,
  findVersion,
  type ApplyClock,
  type LocalVersion,
} from './local.js';
import { reasonOf } from './quarantine.js';
import { placeRow } from './rows-in-the-way.js';
import { deleteRow, enterVersion } from './write.js';

export interface Resolve {
  /** `local`: what this replica had when the two met, or the row as it is where nobody has decided. `remote`: what arrived. */
  readonly keep: 'local' | 'remote';
  /** Also where the row is no longer what either side says. */
  readonly force: boolean;
}

type Row = ReadonlyMap<string, SqlValue>;

/**
 * Writes the kept side as a new version of this instance that has seen both, which settles the entry here and, as it
 * travels, everywhere. Call inside a write transaction, once everything is folded; what it throws takes all back.
 */
export function resolveConflict(
  changelog: Changelog,
  id: number,
  { keep, force }: Resolve,
  clock: ApplyClock,
): Conflict {
  const conflict = readConflict(changelog.database, id);
  const table = requireOpen(changelog, conflict);
  const key = conflict.key.map(decoded);
  return guarded(changelog, clock.nowMs, () => {
    const current = currentVersion(changelog, table, key, clock);
    const staying = keep === 'local' && conflict.decided_by === 'nobody';
    if (!force && !staying) requireUnchanged(conflict, current);
    if (!staying) writeKept(changelog, table, key, conflict, keep);
    const row = findRow(changelog, table, key);
    const version = resolvingVersion(changelog, table, conflict, { current, row }, clock);
    enterVersion(changelog, table, { key, version, record: row }, current);
    settle(changelog, id, clock.nowMs);
    drawMark(changelog.database);
    return readConflict(changelog.database, id);
  });
}

function requireOpen(changelog: Changelog, conflict: Conflict): ReplicatedTable {
  const { id, table: name, settled_ms, copy_of } = conflict;
  if (copy_of !== null) {
    throw new SyncError(
      'conflict_settled',
      `Conflict ${id} has the content of conflict ${copy_of}, which stands for both.`,
      { hint: `If that one is still open, resolve it: sqlite-p2p-sync conflicts show ${copy_of}.` },
    );
  }
  if (settled_ms !== null) {
    throw new SyncError('conflict_settled', `Conflict ${id} is settled already.`, {
      hint: 'To change the row again, write it in your application: that is an ordinary edit.',
    });
  }
  const table = tableNamed(changelog, name);
  if (table !== undefined) return table;
  throw new SyncError('table_unknown', `Conflict ${id} is of table "${name}", which is not configured.`, {
    hint: 'Put the table back under tables: and run migrate, or leave the entry.',
  });
}

function currentVersion(
  changelog: Changelog,
  table: ReplicatedTable,
  key: readonly SqlValue[],
  clock: ApplyClock,
): LocalVersion | null {
  const known = findVersion(changelog, table, key);
  if (known !== null || findRow(changelog, table, key) === null) return known;
  return adoptLegacyRow(changelog, table, key, clock);
}

function requireUnchanged(conflict: Conflict, current: LocalVersion | null): void {
  const { id, local, remote, kind, table, key } = conflict;
  const known =
    kind === 'unique' ? [loserOf(conflict).fingerprint, ''] : [local.fingerprint, remote.fingerprint];
  if (known.includes(current?.version.fingerprint ?? '')) return;
  throw new SyncError(
    'conflict_outdated',
    `The row ${JSON.stringify(key)} of "${table}" was changed since conflict ${id}: it is neither side now.`,
    { hint: 'Look at the row; --force overwrites it with the side that you keep.' },
  );
}

function writeKept(
  changelog: Changelog,
  table: ReplicatedTable,
  key: readonly SqlValue[],
  conflict: Conflict,
  keep: Resolve['keep'],
): void {
  const kept = conflict[keep];
  // Of two rows with one unique value the loser's was deleted: keeping the winner leaves it so.
  const record = kept.won && conflict.kind === 'unique' ? null : kept.record;
  try {
    if (record === null) {
      deleteRow(changelog, table, key);
      return;
    }
    const row = new Map(Object.entries(record).map(([name, value]) => [name, decoded(value)]));
    const writable = writableOf(table, { key }, row);
    if (typeof writable === 'string') throw refused(conflict, writable);
    const obstacle = placeRow(changelog, table, key, writable);
    if (obstacle !== null) throw refused(conflict, obstacle);
  } catch (error) {
    const reason = reasonOf(error);
    throw reason === null ? error : refused(conflict, reason, error);
  }
}

function refused({ id }: Conflict, reason: string, cause?: unknown): SyncError {
  return new SyncError('resolution_refused', `Conflict ${id} stays as it is: ${reason}.`, {
    hint: 'Change what stands in the way, in your application, and resolve it again.',
    cause,
  });
}

/** A version after everything that the two sides and the row as it is now stand for, and that has seen all of it. */
function resolvingVersion(
  changelog: Changelog,
  table: ReplicatedTable,
  conflict: Conflict,
  { current, row }: { current: LocalVersion | null; row: Row | null },
  clock: ApplyClock,
): Version {
  const author = authorOf(changelog, table);
  const { origin } = author;
  const loser = loserOf(conflict);
  // The winner of a unique clash is a version of another row.
  const sides = conflict.kind === 'unique' ? [loser] : [conflict.local, conflict.remote];
  const copies = copiesOf(changelog.database, conflict.id);
  const known: Version[] = [...sides, ...copies, ...(current === null ? [] : [current.version])];
  // A unique clash was decided at the loser's stamp + 1, and is settled by what comes after that.
  const newest = Math.max(
    stampAfter(loser.stamp),
    current?.newestMs ?? 0,
    ...known.map(({ stamp }) => stamp),
  );
  const rank = rankAfter(Math.max(...known.map((version) => version.rank)), author);
  const stamp = Math.max(clock.nowMs, stampAfter(newest));
  return { rank, stamp, origin, fingerprint: fingerprintOf(table, row), seen: seenAfterAll(known, origin) };
}

function loserOf({ local, remote }: Conflict): ConflictSide {
  return remote.won ? local : remote;
}

function decoded(value: WireValue): SqlValue {
  const result = fromWire(value);
  if (result === undefined) throw new TypeError('Expected a value of the ledger');
  return result;
}
