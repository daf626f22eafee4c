import { authorOf, type Changelog } from '../changelog/changelog.js';
import { editOf } from '../changelog/next-version.js';
import type { ReplicatedTable } from '../database/replicable.js';
import type { Version } from '../wire/version.js';
import type { ApplyClock, LocalVersion } from './local.js';

/** A version by this instance of the content that a row has, which has seen the one that stands, and lies above `stamp` (ms). */
export function authorAnew(
  changelog: Changelog,
  table: ReplicatedTable,
  current: LocalVersion,
  clock: ApplyClock,
  stamp = 0,
): Version {
  const present = { ...current, newestMs: Math.max(current.newestMs, stamp) };
  const { fingerprint } = current.version;
  return editOf(present, { fingerprint, claimedMs: clock.nowMs }, authorOf(changelog, table), clock);
}
