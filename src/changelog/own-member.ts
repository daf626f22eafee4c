import { statement } from '../sql/template.js';
import {
  canonical,
  mergeClaims,
  NOTHING,
  tablesHash,
  unheard,
  type Claims,
  type Member,
} from '../wire/members.js';
import { readReplica, type Changelog } from './changelog.js';
import { coverServed, keepClaims } from './had-once.js';
import { markedHeadOf } from './marks.js';
import { learnMembers, putMember, readMembers, type Learned } from './members.js';
import { instanceOf } from '../wire/instance.js';

/** What this replica says of itself, as it was last written down. */
export function ownMember(changelog: Changelog): Member {
  const { node, epoch } = readReplica(changelog.database);
  const stored = readMembers(changelog).get(node);
  return stored?.epoch === epoch ? stored : unheard(node, epoch);
}

/**
 * Brings what this replica says of itself up to date, with more claims where there are some. Call inside a write
 * transaction, after everything that changes what is in quarantine, which tables there are, or who is known.
 */
export function tellOwn(changelog: Changelog, nowMs: number, claims: Claims = {}): void {
  const own = ownMember(changelog);
  const tables = tablesHash(changelog.tables.map(({ name }) => name));
  const bornMs = own.tables === tables ? own.born_ms : beginAnew(changelog, own, nowMs);
  const told: Member = {
    ...own,
    born_ms: bornMs,
    held: heldHere(changelog),
    tables,
    claims: aboutMembers(changelog, own, bornMs === own.born_ms ? mergeClaims(own.claims, claims) : {}),
  };
  // Whoever was forgotten, and is still there, says so.
  const silent = own.forgotten_ms !== null && own.told_ms <= own.forgotten_ms;
  if (canonical(told) === canonical(own) && !silent) return;
  if (Object.entries(own.claims).some(([name, had]) => (told.claims[name] ?? NOTHING).log_id < had.log_id)) {
    keepClaims(changelog.database, markedHeadOf(changelog.database));
  }
  const after = Math.max(own.told_ms, own.forgotten_ms ?? 0) + 1;
  putMember(changelog, { ...told, told_ms: Math.max(nowMs, after) });
}

/**
 * Takes in what a puller says of itself, which then is known here. Call inside a write transaction.
 */
export function meetPuller(changelog: Changelog, puller: Member, nowMs: number): Learned {
  const learned = learnMembers(changelog, [puller]);
  tellOwn(changelog, nowMs);
  return learned;
}

/** What was claimed of other tables says nothing of these: claims begin anew, and everything is compared. */
function beginAnew(changelog: Changelog, own: Member, nowMs: number): number {
  const { bornMs: before } = readReplica(changelog.database);
  const bornMs = Math.max(nowMs, before + 1);
  keepClaims(changelog.database, markedHeadOf(changelog.database));
  coverServed(changelog);
  changelog.prepare(statement('members/set-born')).run({ bornMs });
  if (own.tables !== '') changelog.prepare(statement('migrate/restart-pulls')).run();
  changelog.prepare(statement('members/ask-again')).run();
  return bornMs;
}

/** One claim about each other member that was heard of, and none about what is no longer there. */
function aboutMembers(changelog: Changelog, own: Member, claims: Claims): Claims {
  const others = [...readMembers(changelog).values()].filter(
    ({ node, epoch }) => node !== own.node && epoch !== '',
  );
  return Object.fromEntries(others.map(instanceOf).map((name) => [name, claims[name] ?? NOTHING]));
}

function heldHere(changelog: Changelog): number {
  return (changelog.prepare(statement('members/held')).get() as { held: number }).held;
}
