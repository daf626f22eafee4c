import { tableNamed, type Changelog } from '../changelog/changelog.js';
import { horizonOf } from '../changelog/horizon.js';
import { settleSeen } from '../changelog/settle.js';
import { sqliteCodeOf } from '../database/open.js';
import { columnNamed, type ReplicatedTable } from '../database/replicable.js';
import type { Change } from '../wire/change.js';
import type { SqlValue } from '../wire/value.js';
import { shortened } from '../wire/shortened.js';
import { isTombstone } from '../wire/version.js';
import { sameValue } from '../database/bind.js';
import { aheadReason } from './ahead.js';
import { versionMet } from './drift.js';
import { noteConflict } from './ledger.js';
import { adoptLegacyRow, findRow, type ApplyClock, type LocalVersion, type WholeRow } from './local.js';
import { mergeConflict } from './merge.js';
import { isClash, reasonOf, type Reason } from './quarantine.js';
import { resolve, type Resolution } from './resolve.js';
import { IGNORED, WOULD_EVICT, wouldEvict } from './rows-in-the-way.js';
import { decidedBy } from './strategy.js';
import { leaveUndecided, type Met } from './undecided.js';
import { deleteRow, enterVersion, insertRow, updateRow, withKept, type Writable } from './write.js';

export type Applied =
  | { readonly outcome: 'applied' | 'skipped'; readonly conflict: boolean }
  | { readonly outcome: 'held'; readonly reason: Reason };

const SKIPPED: Applied = { outcome: 'skipped', conflict: false };

/**
 * Resolves one change against what is here, and writes it where it wins. Call inside the apply transaction, guard set.
 * A row that can't be written comes back as `held`; errors of the database itself are raised. `kept` is the row that
 * was taken away to make room: what the change does not bring comes back with it.
 */
export function applyChange(
  changelog: Changelog,
  change: Change,
  clock: ApplyClock,
  kept: WholeRow | null = null,
): Applied {
  const table = tableNamed(changelog, change.table);
  if (table === undefined) return SKIPPED;
  const badKey = keyFault(table, change.key);
  if (badKey !== null) return { outcome: 'held', reason: badKey };
  const received = change.record === null ? null : writableOf(table, change, change.record);
  const local = versionMet(changelog, table, change, clock);
  const holdUnlessItLoses = (reason: Reason): Applied => {
    const { outcome } = resolve(local?.version ?? null, change.version);
    // What loses is written nowhere: the ledger takes any row.
    if (outcome === 'keep' || outcome === 'same') return settle(changelog, table, change, null, local, clock);
    return { outcome: 'held', reason };
  };
  const ahead = aheadReason(change, local?.version.stamp ?? null, clock);
  if (ahead !== null) return holdUnlessItLoses(ahead);
  if (typeof received === 'string') return holdUnlessItLoses(received);
  const writable = received === null || kept === null ? received : withKept(received, kept);
  return settle(changelog, table, change, writable, local, clock);
}

function settle(
  changelog: Changelog,
  table: ReplicatedTable,
  change: Change,
  writable: Writable | null,
  local: LocalVersion | null,
  clock: ApplyClock,
): Applied {
  const resolution = resolve(local?.version ?? null, change.version);
  if (resolution.outcome === 'same') return SKIPPED;
  if (resolution.conflict && local !== null) {
    const decided = otherwiseDecided(changelog, { table, local, change }, resolution, clock);
    if (decided !== null) return decided;
  }
  const localRow = resolution.conflict ? findRow(changelog, table, change.key) : null;
  if (resolution.outcome === 'write') {
    const obstacle = writeRow(changelog, table, change, writable, local);
    if (obstacle === LEGACY_ROW) {
      const legacy = adoptLegacyRow(changelog, table, change.key, clock);
      return settle(changelog, table, change, writable, legacy, clock);
    }
    if (obstacle !== null) return { outcome: 'held', ...obstacle };
  }
  if (resolution.outcome !== 'keep') enterVersion(changelog, table, change, local);
  else if (local !== null) tellAgain(changelog, table, change.key, local);
  // Its author has seen what it has seen, and wrote what stands here.
  if (
    resolution.outcome === 'keep' &&
    !resolution.conflict &&
    local?.version.fingerprint === change.version.fingerprint
  )
    settleSeen(changelog, table, () => change.key, change.version);
  const conflict = noteIfConflict(changelog, table, change, { local, localRow, resolution }, clock);
  return { outcome: resolution.outcome === 'write' ? 'applied' : 'skipped', conflict };
}

/** Null where the order of versions decides. */
function otherwiseDecided(
  changelog: Changelog,
  met: Met,
  { outcome }: Resolution,
  clock: ApplyClock,
): Applied | null {
  const loser = outcome === 'keep' ? met.change.version : met.local.version;
  const by = decidedBy(changelog, met.table, loser);
  if (by === 'version') return null;
  if (by === 'resolver') {
    const fault = mergeConflict(changelog, met, clock);
    if (fault === null) return { outcome: 'applied', conflict: true };
    changelog.resolvers.noteFault(met.table.name, fault);
  }
  return { outcome: 'skipped', conflict: leaveUndecided(changelog, met, clock) };
}

/** Who sent what a tombstone here overrules has pruned that tombstone, perhaps, and needs it again: it goes to the end of the log. */
function tellAgain(
  changelog: Changelog,
  table: ReplicatedTable,
  key: readonly SqlValue[],
  local: LocalVersion,
): void {
  const { version } = local;
  if (!isTombstone(version)) return;
  const horizon = horizonOf(changelog, table.name);
  if (horizon === null || version.stamp > horizon.stamp) return;
  enterVersion(changelog, table, { key, version, record: null }, local);
}

function noteIfConflict(
  changelog: Changelog,
  table: ReplicatedTable,
  change: Change,
  met: { local: LocalVersion | null; localRow: ReadonlyMap<string, SqlValue> | null; resolution: Resolution },
  clock: ApplyClock,
): boolean {
  if (!met.resolution.conflict || met.local === null) return false;
  const here = { version: met.local.version, record: met.localRow };
  const there = { version: change.version, record: change.record };
  const meeting =
    met.resolution.outcome === 'keep'
      ? ({ winner: here, loser: there, local: 'winner', winnerKey: null, decidedBy: 'version' } as const)
      : ({ winner: there, loser: here, local: 'loser', winnerKey: null, decidedBy: 'version' } as const);
  return noteConflict(changelog, table, change.key, meeting, clock.nowMs);
}

/** What keeps a row from being written: a row that the changelog does not know, or a reason to hold the change. */
type Obstacle = typeof LEGACY_ROW | { readonly reason: Reason };

const LEGACY_ROW = 'legacy row';

/** Null where the row is written; otherwise what stands in the way. */
function writeRow(
  changelog: Changelog,
  table: ReplicatedTable,
  change: Change,
  writable: Writable | null,
  local: LocalVersion | null,
): Obstacle | null {
  const present = local !== null && !isTombstone(local.version);
  try {
    if (writable !== null && table.table.replacesOnConflict) {
      if (isLegacy(changelog, table, change, local)) return LEGACY_ROW;
      if (wouldEvict(changelog, table, change.key, writable)) return { reason: WOULD_EVICT };
    }
    if (writable === null) {
      if (!present && isLegacy(changelog, table, change, local)) return LEGACY_ROW;
      deleteRow(changelog, table, change.key);
    } else if (!(present && updateRow(changelog, table, change.key, writable))) {
      if (!insertRow(changelog, table, writable)) return { reason: IGNORED };
    }
    return null;
  } catch (error) {
    const reason = changelog.database.inTransaction ? reasonOf(error) : null;
    if (reason === null) throw error;
    const clash = isClash(sqliteCodeOf(error) ?? '');
    return clash && isLegacy(changelog, table, change, local) ? LEGACY_ROW : { reason };
  }
}

/** Whether there is a row of this key that the changelog does not know, or takes for deleted. */
function isLegacy(
  changelog: Changelog,
  table: ReplicatedTable,
  change: Change,
  local: LocalVersion | null,
): boolean {
  const unknown = local === null || isTombstone(local.version);
  return unknown && findRow(changelog, table, change.key) !== null;
}

/** Why a key can't be one of this table's; null where it can. */
export function keyFault(table: ReplicatedTable, key: readonly SqlValue[]): Reason | null {
  if (key.length !== table.key.length)
    return `the key has ${key.length} columns, here it has ${table.key.length}`;
  return key.includes(null) ? 'the key holds NULL' : null;
}

/** The columns that are written here, or why this schema can't take the record. */
export function writableOf(
  table: ReplicatedTable,
  change: Pick<Change, 'key'>,
  record: ReadonlyMap<string, SqlValue>,
): Writable | Reason {
  const names: string[] = [];
  const values: SqlValue[] = [];
  for (const [index, column] of table.key.entries()) {
    if (!sameValue(record.get(column.name), change.key[index]))
      return `key and column "${column.name}" differ`;
  }
  for (const [name, value] of record) {
    const column = table.columnSet.has(name) ? name : columnNamed(table.table, name)?.name;
    if (column === undefined) return `no column "${shortened(name)}" in table "${table.name}"`;
    if (!table.columnSet.has(column)) continue;
    names.push(column);
    values.push(value);
  }
  return { names, values };
}
