import { tableNamed, readReplica, type Changelog } from '../changelog/changelog.js';
import { horizonOf, type Horizon } from '../changelog/horizon.js';
import { hadOnce } from '../changelog/had-once.js';
import { markedHeadOf } from '../changelog/marks.js';
import { readMembers } from '../changelog/members.js';
import { ownMember } from '../changelog/own-member.js';
import { statement } from '../sql/template.js';
import type { Change } from '../wire/change.js';
import type { Page } from '../wire/page.js';
import { findRow, findVersion } from './local.js';
import type { Reason } from './quarantine.js';
import { instanceOf } from '../wire/instance.js';

/** How the reason of a change starts that only a person may apply. */
export const TOO_OLD = 'older than what was pruned:';

const REASON: Reason = `${TOO_OLD} this row is unknown here and may have been deleted; quarantine retry ID applies it, quarantine drop ID leaves it out`;

/**
 * Finds the changes of a page that may bring back rows whose deletion was pruned: those of a sender that may have missed
 * it, because it was forgotten once, or is a copy or a backup; and versions that this replica has had, whoever sends them.
 */
export class OldRows {
  /** Whether the sender may have missed deletions. */
  readonly suspect: boolean;
  private readonly horizons = new Map<string, Horizon | null>();
  private readonly sender: string;
  private readonly senderBornMs: number;
  private had: Readonly<Record<string, number>> | null = null;
  private tookUnjudged = false;
  private readonly stale: boolean;

  constructor(
    private readonly changelog: Changelog,
    page: Page,
  ) {
    this.suspect = isSuspect(changelog, page);
    this.stale = page.stale === true;
    this.sender = instanceOf(page);
    this.senderBornMs = bornMsOf(changelog, page);
  }

  /** Why a change is not applied by itself: its row is unknown here, and may have been deleted. Null where it is fine. */
  refusal(change: Change): Reason | null {
    if (change.record === null) return null;
    const horizon = this.horizonOf(change.table);
    if (horizon === null) {
      this.tookUnjudged ||= this.suspect && change.version.origin !== this.sender && this.isUnknown(change);
      return null;
    }
    const isOld = change.version.stamp <= horizon.stamp && (this.mayHaveMissed(change) || this.hadIt(change));
    return isOld && this.isUnknown(change) ? REASON : null;
  }

  /**
   * What nobody could judge here, since this replica has not heard of anything pruned yet, others can: from now on they
   * look at this one as at the sender. Call in the transaction that applies the changes.
   */
  passOnSuspicion(): void {
    if (this.tookUnjudged) this.changelog.prepare(statement('prune/become-suspect')).run();
  }

  private horizonOf(table: string): Horizon | null {
    let horizon = this.horizons.get(table);
    if (horizon === undefined) {
      horizon = horizonOf(this.changelog, table);
      this.horizons.set(table, horizon);
    }
    return horizon;
  }

  private isUnknown(change: Change): boolean {
    return isUnknown(this.changelog, change);
  }

  /**
   * Whether a suspect may hold this row although it is deleted; what it wrote itself in its present life is news, but
   * not where it comes late, from a file.
   */
  private mayHaveMissed({ version }: Change): boolean {
    if (this.stale) return true;
    return this.suspect && (version.origin !== this.sender || version.stamp < this.senderBornMs);
  }

  /** Whether this version, or a newer one, was here once, by what this replica claims or has claimed. */
  private hadIt({ table, version, originSeq }: Change): boolean {
    if (originSeq === undefined) return false;
    this.had ??= claimsAndOwn(this.changelog);
    const upTo = this.had[version.origin] ?? 0;
    return originSeq <= Math.max(upTo, hadOnce(this.changelog, table, version.origin));
  }
}

/** When the sender's present life began, by what it told us before or tells now; never, where it has not told. */
function bornMsOf(changelog: Changelog, { node, epoch, members }: Page): number {
  const told = [...(members ?? []), ...readMembers(changelog).values()];
  const sender = told.find((member) => member.node === node && member.epoch === epoch);
  return sender === undefined || sender.born_ms === 0 ? Infinity : sender.born_ms;
}

/** Why a row of whatever replica is not taken by itself: it is unknown here, and as old as what was pruned. */
export function mayBeDeleted(changelog: Changelog, change: Change): Reason | null {
  const horizon = horizonOf(changelog, change.table);
  const isOld = change.record !== null && horizon !== null && change.version.stamp <= horizon.stamp;
  return isOld && isUnknown(changelog, change) ? REASON : null;
}

function isUnknown(changelog: Changelog, { table: name, key }: Change): boolean {
  const table = tableNamed(changelog, name);
  if (table?.key.length !== key.length) return false;
  return findVersion(changelog, table, key) === null && findRow(changelog, table, key) === null;
}

/** Whether the sender of a page may hold rows whose deletion it missed. */
function isSuspect(changelog: Changelog, { node, epoch, renewed }: Page): boolean {
  if (renewed) return true;
  const sender = readMembers(changelog).get(node);
  return sender?.epoch === epoch && sender.forgotten_ms !== null;
}

/** Log ids by instance. */
function claimsAndOwn(changelog: Changelog): Record<string, number> {
  const { database } = changelog;
  const all: Record<string, number> = { [instanceOf(readReplica(database))]: markedHeadOf(database) };
  for (const [name, { log_id }] of Object.entries(ownMember(changelog).claims)) all[name] = log_id;
  return all;
}
