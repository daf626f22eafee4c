import { authorOf, type Changelog } from '../changelog/changelog.js';
import { editOf } from '../changelog/next-version.js';
import { sameValue } from '../database/bind.js';
import { columnNamed, type ReplicatedTable } from '../database/replicable.js';
import type { Change } from '../wire/change.js';
import { compareVersions, isTombstone, sameContent } from '../wire/version.js';
import { adoptLegacyRow, findRow, findVersion, type ApplyClock, type LocalVersion } from './local.js';
import { enterVersion } from './write.js';

/**
 * The version that a row has here, for a change that arrives. Where that is newer and brings what the version here says
 * already, the row would be left as it is; so it is looked at, and one that holds something else, behind the triggers'
 * back, first gets a version for what it holds.
 */
export function versionMet(
  changelog: Changelog,
  table: ReplicatedTable,
  change: Change,
  clock: ApplyClock,
): LocalVersion | null {
  const known = findVersion(changelog, table, change.key);
  if (known === null || isTombstone(known.version)) return known;
  if (!sameContent(known.version, change.version) || compareVersions(change.version, known.version) <= 0)
    return known;
  const row = findRow(changelog, table, change.key);
  if (row === null) return enterVanished(changelog, table, change, known, clock);
  const holds = [...(change.record ?? [])].every(([name, value]) => {
    const here = row.get(columnNamed(table.table, name)?.name ?? name);
    return here === undefined || sameValue(here, value);
  });
  return holds ? known : adoptLegacyRow(changelog, table, change.key, clock);
}

function enterVanished(
  changelog: Changelog,
  table: ReplicatedTable,
  { key }: Change,
  known: LocalVersion,
  clock: ApplyClock,
): LocalVersion | null {
  const version = editOf(known, { fingerprint: '', claimedMs: 0 }, authorOf(changelog, table), clock);
  enterVersion(changelog, table, { key, version, record: null }, known);
  return findVersion(changelog, table, key);
}
