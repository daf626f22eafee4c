import { readReplica, type Changelog } from '../changelog/changelog.js';
import { stampAfter } from '../clock/stamp.js';
import type { ResolverContext, ResolverVersion } from '../config/resolvers.js';
import { columnNamed, type ReplicatedTable } from '../database/replicable.js';
import { messageOf } from '../errors.js';
import type { Change } from '../wire/change.js';
import { compareVersions, seenAfterAll, type Version } from '../wire/version.js';
import { noteConflict } from './ledger.js';
import { fingerprintOf, findRow, type ApplyClock } from './local.js';
import { reasonOf } from './quarantine.js';
import { fromResolver, NotMerged, toResolver, toResolverValue, type Row } from './resolver-values.js';
import { placeRow } from './rows-in-the-way.js';
import { inSavepoint } from './savepoint.js';
import type { Met } from './undecided.js';
import { deleteRow, enterVersion } from './write.js';
import { instanceOf } from '../wire/instance.js';

/**
 * Has the table's resolver merge the two sides, and writes what it returns as a version of this instance that has seen
 * both; the ledger keeps them, settled. Returns why there is no merge, and then nothing was written; null where there is.
 */
export function mergeConflict(changelog: Changelog, met: Met, clock: ApplyClock): string | null {
  try {
    const local = findRow(changelog, met.table, met.change.key);
    const merged = askResolver(changelog, met, local);
    inSavepoint(changelog, () => {
      writeMerged(changelog, met, local, merged, clock);
    });
    return null;
  } catch (error) {
    if (error instanceof NotMerged) return error.message;
    const reason = changelog.database.inTransaction ? reasonOf(error) : null;
    if (reason === null) throw error;
    return `what the resolver returned can't be written: ${reason}`;
  }
}

function askResolver(changelog: Changelog, met: Met, local: Row): Row {
  const { table, change } = met;
  const remote = replicatedOf(table, change.record);
  const newer = newerOf(met);
  const context = contextOf(met, newer);
  const resolver = changelog.resolvers.of(table.config);
  let answer: unknown;
  try {
    answer = resolver(toResolver(local), toResolver(remote), context);
  } catch (error) {
    throw new NotMerged(`the resolver threw: ${messageOf(error)}`);
  }
  const [first, second] = newer === 'remote' ? [remote, local] : [local, remote];
  return fromResolver(table, answer, { newer: first, older: second, remote });
}

/** The columns of a change that are replicated here, by their names here. */
function replicatedOf(table: ReplicatedTable, record: Change['record']): Row {
  if (record === null) return null;
  const named = [...record].map(
    ([name, value]) => [columnNamed(table.table, name)?.name ?? name, value] as const,
  );
  return new Map(named.filter(([name]) => table.columns.includes(name)));
}

function newerOf({ local, change }: Met): 'local' | 'remote' {
  return compareVersions(change.version, local.version) > 0 ? 'remote' : 'local';
}

function contextOf({ table, local, change }: Met, newer: 'local' | 'remote'): ResolverContext {
  return Object.freeze({
    table: table.name,
    key: change.key.map(toResolverValue),
    localVersion: versionOf(local.version),
    remoteVersion: versionOf(change.version),
    newer,
  });
}

function versionOf({ rank, stamp, origin }: Version): ResolverVersion {
  return { rank, stamp, origin };
}

function writeMerged(changelog: Changelog, met: Met, localRow: Row, merged: Row, clock: ApplyClock): void {
  const { table, local, change } = met;
  const key = merged === null ? change.key : table.key.map(({ name }) => merged.get(name) ?? null);
  if (merged === null) deleteRow(changelog, table, key);
  else writeRow(changelog, table, key, merged);
  const here = { version: local.version, record: localRow };
  const [winner, loser] = newerOf(met) === 'remote' ? [change, here] : [here, change];
  const side = winner === here ? 'winner' : 'loser';
  const meeting = { winner, loser, local: side, winnerKey: null, decidedBy: 'resolver' } as const;
  noteConflict(changelog, table, change.key, meeting, clock.nowMs);
  const record = findRow(changelog, table, key);
  const version = mergedVersion(changelog, met, fingerprintOf(table, record));
  enterVersion(changelog, table, { key, version, record }, local);
}

function writeRow(
  changelog: Changelog,
  table: ReplicatedTable,
  key: Change['key'],
  row: Exclude<Row, null>,
): void {
  const writable = { names: [...row.keys()], values: [...row.values()] };
  const obstacle = placeRow(changelog, table, key, writable);
  if (obstacle !== null) throw new NotMerged(`what the resolver returned can't be written: ${obstacle}`);
}

/** Just above both, so that it beats them and no edit that is newer. */
function mergedVersion(changelog: Changelog, { local, change }: Met, fingerprint: string): Version {
  const origin = instanceOf(readReplica(changelog.database));
  const sides = [local.version, change.version];
  return {
    rank: Math.max(local.version.rank, change.version.rank),
    stamp: stampAfter(Math.max(local.newestMs, change.version.stamp)),
    origin,
    fingerprint,
    seen: seenAfterAll(sides, origin),
  };
}
