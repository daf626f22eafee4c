import { formatClaims, formatHeard, type Heard, type Member } from './members.js';

/** What a puller asks `GET /sync/changes` for. */
export interface ChangesRequest {
  /** Empty: from the start. */
  readonly since: string;
  readonly limit: number;
  /** What the puller says of itself. */
  readonly member: Member;
  /** `membersHash` of what the peer last told it; null: nothing. */
  readonly known: string | null;
  /** Everything is compared: nothing may be left out for what it claims. */
  readonly full: boolean;
  /** Nothing may travel as its name alone. */
  readonly whole?: boolean;
  /** The newest cursor that it had before, where everything is compared once more; null: none. */
  readonly witness: string | null;
  /** The instance of the peer that it last heard of; null: none. */
  readonly heard: Heard | null;
  /** How long the peer may hold the request until there is something, in ms. */
  readonly waitMs: number;
  /** What `since` stands for is not applied yet. */
  readonly ahead: boolean;
  /** The peer said that it has something: what it has folded by now is enough. */
  readonly prompt?: boolean;
}

/** What a puller asks whether there is anything. */
export interface QuestionRequest extends Omit<ChangesRequest, 'limit' | 'ahead' | 'prompt' | 'whole'> {
  /** The answer may be the page itself, where all of it was authored by the peer. */
  readonly own: boolean;
}

/** The query of `GET /sync/changes`, as the puller named `node` asks it (docs/protocol.md). */
export function changesQueryText(request: ChangesRequest, node: string): string {
  const { since, limit, waitMs, ahead, prompt = false, ...rest } = request;
  const query = new URLSearchParams({ since, limit: String(limit), node, epoch: rest.member.epoch });
  if (ahead) query.set('ahead', '1');
  if (prompt) query.set('prompt', '1');
  if (waitMs > 0) query.set('wait', String(Math.ceil(waitMs / 1000)));
  return `${query.toString()}${memberQuery(rest)}`;
}

/** The query of a question whether there is anything. */
export function questionText({ since, waitMs, own, ...puller }: QuestionRequest, node: string): string {
  const wait = String(Math.ceil(waitMs / 1000));
  const query = new URLSearchParams({ since, node, epoch: puller.member.epoch, peek: '1', wait });
  if (!own) return query.toString();
  query.set('rows', 'own');
  return `${query.toString()}${memberQuery(puller)}`;
}

type PagePuller = Pick<ChangesRequest, 'member' | 'known' | 'full' | 'whole' | 'witness' | 'heard'>;

/** Claims need no escape, and would grow threefold by one. */
function memberQuery({ member, known, full, whole = false, witness, heard }: PagePuller): string {
  const claims = formatClaims(member.claims);
  const { born_ms, told_ms, held, tables } = member;
  const query = new URLSearchParams();
  if (known !== null) query.set('known', known);
  if (full) query.set('full', '1');
  if (whole) query.set('whole', '1');
  if (witness !== null) query.set('witness', witness);
  if (heard !== null) query.set('heard', formatHeard(heard));
  if (claims === null || tables === '') return `&${query.toString()}`;
  const own = { born: String(born_ms), told: String(told_ms), held: String(held), holds: tables };
  for (const [name, value] of Object.entries(own)) query.set(name, value);
  return `&${query.toString()}&claims=${claims}`;
}
