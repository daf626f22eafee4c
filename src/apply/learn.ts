import { isSameName, type Changelog } from '../changelog/changelog.js';
import { horizonOf, raiseHorizons, type Horizon } from '../changelog/horizon.js';
import { learnMembers, type Learned } from '../changelog/members.js';
import { ownMember, tellOwn } from '../changelog/own-member.js';
import { statement } from '../sql/template.js';
import { parseCursor } from '../wire/cursor.js';
import { mergeClaims, membersHash, NOTHING, unheard, type Claims, type Member } from '../wire/members.js';
import type { Page, PrunedTable } from '../wire/page.js';
import { instanceOf } from '../wire/instance.js';
import { isAhead } from './ahead.js';
import type { ApplyClock } from './local.js';

/**
 * Takes in what the last page of a pull says of the group, and claims what this replica now has. Call in the transaction
 * that applies the last of it.
 */
export function learn(changelog: Changelog, page: Page, clock: ApplyClock): Learned {
  const { node, epoch, members } = page;
  const { nowMs } = clock;
  // Not before its last page: to a replica that begins, every row is unknown, and none was deleted.
  raiseHorizons(changelog, toldHere(changelog, page, clock));
  const learned = learnMembers(changelog, members ?? [unheard(node, epoch)]);
  if (!page.complete) {
    tellOwn(changelog, nowMs);
    return learned;
  }
  // What proves that this log was rewound may not be believed at once: it is to be told again.
  if (members !== undefined && !learned.overclaimed) {
    const bound = { name: node, known: membersHash(members) };
    changelog.prepare(statement('peers/note-members')).run(bound);
  }
  tellOwn(changelog, nowMs, mergeClaims(directClaim(page), passedOn(changelog, page)));
  return learned;
}

/** Whether a page that brings no change has something else to say. */
export function hasNews(changelog: Changelog, page: Page, clock: ApplyClock): boolean {
  if (page.has_more || page.members !== undefined) return true;
  if (toldHere(changelog, page, clock).some((told) => isHigher(told, horizonOf(changelog, told.table))))
    return true;
  const known = ownMember(changelog).claims;
  return (
    page.complete &&
    Object.entries(directClaim(page)).some(([name, { log_id }]) => (known[name]?.log_id ?? -1) < log_id)
  );
}

/**
 * What is told of tables that are replicated here: of others a peer writes nothing down, whatever it names. A deletion that
 * is stamped too far ahead is not here either, and would make every row of now look older than it.
 */
function toldHere(changelog: Changelog, { pruned }: Page, clock: ApplyClock): readonly PrunedTable[] {
  const names = [...changelog.tables.map(({ name }) => name), ...changelog.unfit];
  return pruned.filter(
    ({ table, stamp }) => !isAhead(stamp, clock) && names.some((name) => isSameName(name, table)),
  );
}

function isHigher(told: Horizon, known: Horizon | null): boolean {
  return known === null || told.stamp > known.stamp || told.rank > known.rank;
}

function directClaim({ node, epoch, next_cursor }: Page): Claims {
  const cursor = parseCursor(next_cursor);
  if (cursor?.epoch !== epoch) return {};
  const { logId, mark } = cursor;
  return { [instanceOf({ node, epoch })]: logId === 0 ? NOTHING : { log_id: logId, mark } };
}

/** What the peer has of others this replica has too now, if both replicate the same and the peer lacks nothing. */
function passedOn(changelog: Changelog, { node, epoch, members, vouches }: Page): Claims {
  const theirs = members?.find((member: Member) => member.node === node);
  if (!vouches || theirs?.epoch !== epoch || theirs.held > 0) return {};
  return theirs.tables === ownMember(changelog).tables ? theirs.claims : {};
}
