import { statement } from '../sql/template.js';
import { isForgotten, unheard, type Member } from '../wire/members.js';
import { readReplica, type Changelog } from './changelog.js';
import { believed, headOf, markedHeadOf } from './marks.js';
import { readMembers } from './members.js';
import { instanceOf } from '../wire/instance.js';

/** Entries of the log that one transaction looks at. */
const BATCH_ENTRIES = 5_000;

/** What is known of a member of the group besides this replica. */
export interface Standing {
  readonly member: Member;
  readonly forgotten: boolean;
  /** It has our log up to there. */
  readonly claim: number;
  /** Why nothing may be pruned for its sake; null where its claim says how far. */
  readonly blocks: string | null;
}

/** How far the log may be pruned, and who says so. */
export interface PruneBound {
  /** The newest log id of ours. */
  readonly head: number;
  /** Tombstones go up to this log id. */
  readonly upTo: number;
  readonly standings: readonly Standing[];
}

/**
 * Everyone that was heard of or is configured, by node id, and the log id up to which all of them have everything.
 * `configured` are the node ids of the peers.
 */
export function pruneBound(changelog: Changelog, configured: readonly string[]): PruneBound {
  const replica = readReplica(changelog.database);
  const members = readMembers(changelog);
  for (const name of configured) if (!members.has(name)) members.set(name, unheard(name, ''));
  members.delete(replica.node);
  const ours = instanceOf(replica);
  const standings = [...members.values()]
    .map((member) => standingOf(member, believed(changelog.database, member.claims[ours])))
    .sort((a, b) => (a.member.node < b.member.node ? -1 : 1));
  const limits = standings
    .filter(({ forgotten }) => !forgotten)
    .map(({ claim, blocks }) => (blocks === null ? claim : 0));
  const upTo = Math.min(markedHeadOf(changelog.database), ...limits);
  return { head: headOf(changelog.database), upTo, standings };
}

function standingOf(member: Member, claim: number): Standing {
  const forgotten = isForgotten(member);
  return { member, forgotten, claim, blocks: forgotten ? null : blockOf(member, claim) };
}

function blockOf(member: Member, claim: number): string | null {
  if (member.told_ms === 0) return 'has told nothing of itself yet';
  if (member.held > 0) return `holds ${member.held} changes in quarantine, or dropped them`;
  return claim === 0 ? 'has told nothing of our changes yet' : null;
}

/** How pruning gets at the database. */
export interface Pruning {
  /** Runs work in a write transaction of its own, once everything is folded. */
  readonly inWrite: <T>(work: () => T) => Promise<T>;
  readonly changelog: () => Changelog;
  /** Node ids of the peers. */
  readonly configured: readonly string[];
  /** Told after each transaction up to which log id it has come, and up to which it goes. */
  readonly onProgress?: ((logId: number, upTo: number) => void) | undefined;
}

/** Drops the tombstones that every member has, in bounded transactions; how many. */
export async function prune(pruning: Pruning): Promise<number> {
  let dropped = 0;
  for (let after: number | null = 0; after !== null;) {
    const from: number = after;
    const batch = await pruning.inWrite(() => pruneBatch(pruning.changelog(), pruning.configured, from));
    dropped += batch.tombstones;
    after = batch.last;
    pruning.onProgress?.(after ?? batch.upTo, batch.upTo);
  }
  return dropped;
}

/** How many tombstones `prune` would drop now. */
export function countPrunable(changelog: Changelog, upTo: number): number {
  return stretchAfter(changelog, { after: 0, upTo, limit: -1 }).tombstones;
}

/**
 * Drops the tombstones of the next stretch of the log; null for `last` where that was all. Asks anew who has what: a
 * member may have come since the last one. Call inside a write transaction.
 */
export function pruneBatch(
  changelog: Changelog,
  configured: readonly string[],
  after: number,
): { tombstones: number; last: number | null; upTo: number } {
  const { upTo } = pruneBound(changelog, configured);
  const { last, entries, tombstones } = stretchAfter(changelog, { after, upTo, limit: BATCH_ENTRIES });
  if (last === null) return { tombstones: 0, last: null, upTo };
  if (tombstones > 0) {
    const range = { after, last };
    changelog.prepare(statement('prune/note-horizon')).run(range);
    changelog.prepare(statement('prune/note-pruned')).run(range);
    changelog.prepare(statement('prune/drop-tombstones')).run(range);
  }
  return { tombstones, last: entries < BATCH_ENTRIES ? null : last, upTo };
}

function stretchAfter(changelog: Changelog, range: { after: number; upTo: number; limit: number }) {
  return changelog.prepare(statement('prune/stretch')).get(range) as {
    last: number | null;
    entries: number;
    tombstones: number;
  };
}
