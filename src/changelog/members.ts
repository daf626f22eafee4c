import { statement } from '../sql/template.js';
import {
  canonical,
  isForgotten,
  MAX_MEMBERS,
  mergeMembers,
  unheard,
  type Claims,
  type Heard,
  type Member,
} from '../wire/members.js';
import { readReplica, type Changelog } from './changelog.js';
import { isDisproved } from './marks.js';
import { instanceOf, parseInstance } from '../wire/instance.js';

/** What came of what was told. */
export interface Learned {
  /** Someone claims of our log what it has not, or not any more: it was rewound. */
  readonly overclaimed: boolean;
}

interface MemberRow extends Omit<Member, 'claims'> {
  readonly claims: string;
}

/** The replicas of the group that were heard of, this one included, by node id. */
export function readMembers(changelog: Changelog): Map<string, Member> {
  const rows = changelog.prepare(statement('members/all')).all() as MemberRow[];
  return new Map(rows.map((row) => [row.node, { ...row, claims: JSON.parse(row.claims) as Claims }]));
}

/** The instance of a node that this replica last heard of; null where it heard of none that said anything. */
export function heardOf(changelog: Changelog, node: string): Heard | null {
  const row = changelog.prepare(statement('members/heard')).get({ node }) as Heard | undefined;
  return row ?? null;
}

export function putMember(changelog: Changelog, member: Member): void {
  const claims = JSON.stringify(member.claims);
  changelog.prepare(statement('members/put')).run({ ...member, claims });
}

/**
 * Takes in what was told of members; of what concerns this replica only that it was forgotten. Call inside a write
 * transaction. What is claimed of our log and disproved by its marks is not written down.
 */
export function learnMembers(changelog: Changelog, told: readonly Member[]): Learned {
  const { node } = readReplica(changelog.database);
  const before = readMembers(changelog);
  const after = new Map(before);
  for (const row of told) {
    const known = after.get(row.node);
    if (row.node !== node) addMember(after, known === undefined ? row : mergeMembers(known, row));
    else if (known?.epoch === row.epoch) after.set(node, withForgotten(known, row));
  }
  // Whoever is named by a claim exists, also where it never spoke to us.
  for (const instance of told.flatMap(({ claims }) => Object.keys(claims))) {
    const named = parseInstance(instance);
    if (named === null || named.node === node || after.has(named.node)) continue;
    addMember(after, unheard(named.node, named.epoch));
  }
  const overclaimed = saveChanged(changelog, before, after);
  const isOther = ({ node: name, epoch }: Member) => before.get(name)?.epoch !== epoch;
  if ([...after.values()].some(isOther)) changelog.prepare(statement('members/ask-again')).run();
  return { overclaimed };
}

function addMember(members: Map<string, Member>, member: Member): void {
  if (members.size < MAX_MEMBERS || members.has(member.node)) members.set(member.node, member);
}

function withForgotten(own: Member, { forgotten_ms: told }: Member): Member {
  return told === null ? own : { ...own, forgotten_ms: Math.max(told, own.forgotten_ms ?? 0) };
}

function saveChanged(
  changelog: Changelog,
  before: ReadonlyMap<string, Member>,
  after: ReadonlyMap<string, Member>,
): boolean {
  const present = new Set([...after.values()].map(instanceOf));
  const ours = instanceOf(readReplica(changelog.database));
  let overclaimed = false;
  for (const [name, row] of after) {
    const known = before.get(name);
    if (known !== undefined && canonical(known) === canonical(row)) continue;
    const sound = Object.entries(row.claims).filter(([instance, claim]) => {
      const tooMuch = instance === ours && isDisproved(changelog.database, claim);
      overclaimed ||= tooMuch;
      return present.has(instance) && !tooMuch;
    });
    putMember(changelog, { ...row, claims: Object.fromEntries(sound) });
    // What it still has, and others have deleted meanwhile, is to come to light.
    if (known !== undefined && isForgotten(known) && !isForgotten(row)) {
      changelog.prepare(statement('peers/reset-cursor')).run({ name });
    }
  }
  return overclaimed;
}
