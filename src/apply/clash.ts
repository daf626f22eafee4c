import { readReplica, tableNamed, type Changelog } from '../changelog/changelog.js';
import { stampAfter } from '../clock/stamp.js';
import type { ReplicatedTable } from '../database/replicable.js';
import type { Change } from '../wire/change.js';
import { toWire, type SqlValue } from '../wire/value.js';
import { compareVersions, seenAfter, type Version } from '../wire/version.js';
import { applyChange, writableOf, type Applied } from './apply-change.js';
import { noteConflict, type Side } from './ledger.js';
import { adoptLegacyRow, findRow, findVersion, type ApplyClock, type WholeRow } from './local.js';
import { reasonOf } from './quarantine.js';
import { rowsInTheWay } from './rows-in-the-way.js';
import { inSavepoint } from './savepoint.js';
import { withKept, type Writable } from './write.js';
import { instanceOf } from '../wire/instance.js';

/** A row here that holds a unique value which an incoming change claims. */
interface Holder extends Side {
  readonly key: readonly SqlValue[];
}

/**
 * Decides between a change and the rows of other keys that hold its unique values, by version, as every replica does:
 * the losers become tombstones with their own stamp + 1, authored here, and go to the ledger in full. Call inside the
 * apply transaction, guard set, once nothing else can make room; `kept` is the row that was taken away to make some.
 */
export function decideClash(
  changelog: Changelog,
  change: Change,
  clock: ApplyClock,
  kept: WholeRow | null,
): Applied {
  try {
    return inSavepoint(changelog, () => decide(changelog, change, clock, kept));
  } catch (error) {
    if (error instanceof Undecided) return { outcome: 'held', reason: error.message };
    throw error;
  }
}

/** A decision that can't be carried out whole is not carried out at all. */
class Undecided extends Error {}

function carriedOut(result: Applied): Applied {
  if (result.outcome === 'held') throw new Undecided(result.reason);
  return result;
}

function decide(changelog: Changelog, change: Change, clock: ApplyClock, kept: WholeRow | null): Applied {
  const table = tableNamed(changelog, change.table);
  if (table === undefined || change.record === null) return applyChange(changelog, change, clock);
  const received = writableOf(table, change, change.record);
  if (typeof received === 'string') return { outcome: 'held', reason: received };
  const writable = kept === null ? received : withKept(received, kept);
  const holders = holdersOf(changelog, table, change.key, writable, clock);
  if (typeof holders === 'string') return { outcome: 'held', reason: holders };
  const stronger = holders.find((holder) => compareVersions(holder.version, change.version) > 0);
  if (stronger !== undefined) return overrule(changelog, table, change, stronger, clock);
  for (const holder of holders) {
    const meeting = {
      winner: change,
      loser: holder,
      local: 'loser',
      winnerKey: change.key,
      decidedBy: 'version',
    } as const;
    noteConflict(changelog, table, holder.key, meeting, clock.nowMs);
    carriedOut(applyChange(changelog, tombstoneOf(changelog, table, holder), clock));
  }
  carriedOut(applyChange(changelog, change, clock, kept));
  return { outcome: 'applied', conflict: holders.length > 0 };
}

/** The change loses: its row is deleted, here and, by the tombstone, everywhere. */
function overrule(
  changelog: Changelog,
  table: ReplicatedTable,
  change: Change,
  winner: Holder,
  clock: ApplyClock,
): Applied {
  const meeting = {
    winner,
    loser: change,
    local: 'winner',
    winnerKey: winner.key,
    decidedBy: 'version',
  } as const;
  noteConflict(changelog, table, change.key, meeting, clock.nowMs);
  carriedOut(applyChange(changelog, tombstoneOf(changelog, table, change), clock));
  return { outcome: 'skipped', conflict: true };
}

function holdersOf(
  changelog: Changelog,
  table: ReplicatedTable,
  key: readonly SqlValue[],
  writable: Writable,
  clock: ApplyClock,
): Holder[] | string {
  try {
    const keys = rowsInTheWay(changelog, table, key, writable);
    return keys.map((found) => {
      const local = findVersion(changelog, table, found) ?? adoptLegacyRow(changelog, table, found, clock);
      return { key: found, version: local.version, record: findRow(changelog, table, found) };
    });
  } catch (error) {
    const reason = changelog.database.inTransaction ? reasonOf(error) : null;
    if (reason === null) throw error;
    return reason;
  }
}

function tombstoneOf(
  changelog: Changelog,
  table: ReplicatedTable,
  loser: { key: readonly SqlValue[]; version: Version },
): Change {
  const origin = instanceOf(readReplica(changelog.database));
  const version = {
    rank: loser.version.rank,
    stamp: stampAfter(loser.version.stamp),
    origin,
    fingerprint: '',
    seen: seenAfter(loser.version, origin),
  };
  const wire = {
    seq: 0,
    table: table.name,
    operation: 'delete' as const,
    key: loser.key.map(toWire),
    ...(version.rank === 0 ? {} : { rank: version.rank }),
    stamp: version.stamp,
    origin,
    ...(version.seen === null ? {} : { seen: version.seen }),
    record: null,
  };
  return { table: table.name, key: loser.key, version, record: null, wire };
}
