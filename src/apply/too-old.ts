import { tableNamed, type Changelog } from '../changelog/changelog.js';
import { horizonOf } from '../changelog/horizon.js';
import { readMembers } from '../changelog/members.js';
import type { Change } from '../wire/change.js';
import type { Page } from '../wire/page.js';
import { findRow, findVersion } from './local.js';
import type { Reason } from './quarantine.js';

/** How the reason of a change starts that only a person may apply. */
export const TOO_OLD = 'older than what was pruned:';

/** Whether the sender of a page may hold rows whose deletion it missed: it was forgotten once, or is a copy or a backup. */
export function isSuspect(changelog: Changelog, { node, epoch, renewed }: Page): boolean {
  if (renewed) return true;
  const sender = readMembers(changelog).get(node);
  return sender?.epoch === epoch && sender.forgotten_ms !== null;
}

/** Why a suspect's change is not applied by itself: its row is unknown here, and may have been deleted. Null where it is fine. */
export function tooOld(changelog: Changelog, change: Change): Reason | null {
  const table = tableNamed(changelog, change.table);
  if (table === undefined || change.record === null || change.key.length !== table.key.length) return null;
  const horizon = horizonOf(changelog, table.name);
  if (horizon === null || change.version.stamp > horizon.stamp) return null;
  if (findVersion(changelog, table, change.key) !== null || findRow(changelog, table, change.key) !== null) {
    return null;
  }
  return `${TOO_OLD} this row is unknown here and may have been deleted; quarantine retry ID applies it, quarantine drop ID leaves it out`;
}
