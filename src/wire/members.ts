import { hash } from 'node:crypto';
import { z } from 'zod';
import { MAX_STAMP_MS } from '../clock/stamp.js';
import { INSTANCE, NODE_ID } from './instance.js';

/** Members of a group that a replica keeps, and claims of each. */
export const MAX_MEMBERS = 256;
/** Claims that stand in the query of a request, whose header ends at 16 KiB. */
export const MAX_CLAIMS_IN_QUERY = 64;

/** A place in an instance's log, as in a cursor of it: everything up to `log_id`, or something newer, is here. */
export interface Claim {
  /** 0 where there is nothing of it. */
  readonly log_id: number;
  /** The mark that tells this log from one that was rewound and grew again; empty for 0, and only then. */
  readonly mark: string;
}

/** What is claimed of an instance's log where nothing of it is here. */
export const NOTHING: Claim = { log_id: 0, mark: '' };

/** By instance (`node@epoch`). */
export type Claims = Readonly<Record<string, Claim>>;

/** What a replica of the group says of itself; nobody else changes it but for `forgotten_ms`. Times in ms by its clock. */
export interface Member {
  readonly node: string;
  /** Empty where it was never heard of. */
  readonly epoch: string;
  /** When its claims began; 0 where it is known by name only. */
  readonly born_ms: number;
  /** When it last said something new. */
  readonly told_ms: number;
  /** Changes that it was sent and has not in its tables: in quarantine, or in conflicts that nobody has decided. */
  readonly held: number;
  /** `tablesHash` of what it replicates; empty where that is unknown. */
  readonly tables: string;
  /** When somebody last had it forgotten; it is again a member once it says something newer. */
  readonly forgotten_ms: number | null;
  /** About every other member that it knows of, `NOTHING` where it has nothing of it. */
  readonly claims: Claims;
}

/** The instance of a replica that another one last heard of, and when its claims began. */
export type Heard = Pick<Member, 'epoch' | 'born_ms'>;

const timeMs = z.number().int().min(0).max(MAX_STAMP_MS);
const count = z.number().int().nonnegative();
const node = z.string().regex(NODE_ID);
const claim = z
  .strictObject({ log_id: count, mark: z.string().regex(/^[0-9a-f]{0,64}$/) })
  .refine(
    ({ log_id, mark }) => (log_id === 0) === (mark === ''),
    'has a mark without a log id, or none with one',
  );
const claims = z
  .record(z.string().regex(INSTANCE), claim)
  .refine((all) => Object.keys(all).length <= MAX_MEMBERS, 'has too many claims');

export const memberSchema = z.strictObject({
  node,
  epoch: z.string().regex(/^[0-9a-f]{0,64}$/),
  born_ms: timeMs,
  told_ms: timeMs,
  held: count,
  tables: z.string().regex(/^([0-9a-f]{16})?$/),
  forgotten_ms: timeMs.nullable(),
  claims,
});

export const heardSchema = memberSchema.pick({ epoch: true, born_ms: true });

export const membersSchema = z.array(memberSchema).max(MAX_MEMBERS);

/** A replica that is known by name and instance only. */
export function unheard(name: string, epoch: string): Member {
  return {
    node: name,
    epoch,
    born_ms: 0,
    told_ms: 0,
    held: 0,
    tables: '',
    forgotten_ms: null,
    claims: {},
  };
}

export function isForgotten({ told_ms, forgotten_ms }: Member): boolean {
  return forgotten_ms !== null && told_ms <= forgotten_ms;
}

/** Joins two rows of one member. In whatever order rows arrive, and however often, the result is the same. */
export function mergeMembers(a: Member, b: Member): Member {
  const [older, newer] = isBefore(a, b) ? [a, b] : [b, a];
  const sameInstance = older.epoch === newer.epoch;
  const forgotten_ms = sameInstance ? latest(older.forgotten_ms, newer.forgotten_ms) : newer.forgotten_ms;
  // What was claimed before these claims began counts no more.
  const goesOn = sameInstance && older.born_ms === newer.born_ms;
  return { ...newer, forgotten_ms, claims: goesOn ? mergeClaims(older.claims, newer.claims) : newer.claims };
}

/** The one that goes further, by instance; of two marks at one log id the greater, so that it is the same one everywhere. */
export function mergeClaims(a: Claims, b: Claims): Claims {
  const merged: Record<string, Claim> = { ...a };
  for (const [instance, claim] of Object.entries(b)) {
    const known = merged[instance];
    if (known === undefined || goesFurther(claim, known)) merged[instance] = claim;
  }
  return merged;
}

function goesFurther(claim: Claim, than: Claim): boolean {
  return claim.log_id === than.log_id ? claim.mark > than.mark : claim.log_id > than.log_id;
}

function isBefore(a: Member, b: Member): boolean {
  if (a.born_ms !== b.born_ms) return a.born_ms < b.born_ms;
  if (a.epoch !== b.epoch) return a.epoch < b.epoch;
  if (a.told_ms !== b.told_ms) return a.told_ms < b.told_ms;
  return a.held !== b.held ? a.held < b.held : a.tables < b.tables;
}

function latest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

/** The same for the same set of names, whatever their order and case: 16 hex digits. */
export function tablesHash(names: readonly string[]): string {
  return digits([...names].map((name) => name.toLowerCase()).sort(), 16);
}

/** What a puller sends back as `known`, so that it is not told the same again: 8 hex digits. */
export function membersHash(members: readonly Member[]): string {
  return digits([...members].map(canonical).sort(), 8);
}

/** One text for one content. */
export function canonical(member: Member): string {
  const { node, epoch, born_ms, told_ms, held, tables, forgotten_ms } = member;
  const claimed = sorted(member.claims).map(([instance, { log_id, mark }]) => [instance, log_id, mark]);
  return JSON.stringify([node, epoch, born_ms, told_ms, held, tables, forgotten_ms, claimed]);
}

/** `7d0c.1767225600000`. */
export function formatHeard({ epoch, born_ms }: Heard): string {
  return `${epoch}.${born_ms}`;
}

/** Null where the text is none of `formatHeard`. */
export function parseHeard(text: string): Heard | null {
  const [, epoch, born] = /^([0-9a-f]{1,64})\.(\d{1,15})$/.exec(text) ?? [];
  return heardSchema.safeParse({ epoch, born_ms: Number(born) }).data ?? null;
}

function sorted(all: Claims): [instance: string, claim: Claim][] {
  return Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1));
}

function digits(content: readonly string[], length: number): string {
  return hash('sha256', JSON.stringify(content), 'hex').slice(0, length);
}

/** `ann@7d0c:12.5fa3,bob@c41b:0`, which needs no escape in a query; null where there are more than fit. */
export function formatClaims(all: Claims): string | null {
  const entries = sorted(all);
  if (entries.length > MAX_CLAIMS_IN_QUERY) return null;
  return entries.map(([instance, claim]) => `${instance}:${formatClaim(claim)}`).join(',');
}

function formatClaim({ log_id, mark }: Claim): string {
  return log_id === 0 ? '0' : `${log_id}.${mark}`;
}

/** Null where the text is none of `formatClaims`. */
export function parseClaims(text: string): Claims | null {
  if (text === '') return {};
  const parts = text.split(',');
  if (parts.length > MAX_CLAIMS_IN_QUERY) return null;
  const entries = parts.map((part) => /^([^:]+):(\d{1,15})(?:\.([0-9a-f]{1,64}))?$/.exec(part));
  const all = entries.map((match) => {
    const [, instance = '', logId, mark = ''] = match ?? [];
    return [instance, { log_id: Number(logId), mark }];
  });
  return claims.safeParse(Object.fromEntries(all)).data ?? null;
}
