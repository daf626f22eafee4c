import { createHash } from 'node:crypto';
import { z } from 'zod';
import { skewOf, type Skew } from '../clock/skew.js';
import { isLoopback } from '../config/addresses.js';
import type { Config } from '../config/config.js';
import { SyncError } from '../errors.js';
import {
  NEXT_CURSOR_HEADER,
  PAGE_HASH_HEADER,
  REQUEST_HASH_HEADER,
  SERVER_TIME_HEADER,
} from '../wire/http.js';
import { parseCursor } from '../wire/cursor.js';
import { formatClaims, formatHeard, type Heard, type Member } from '../wire/members.js';
import { PROTOCOL } from '../wire/page.js';
import { answerError } from './answer-error.js';
import { shortJson, type HttpAnswer, type HttpConnection } from './request.js';

export interface PeerHealth {
  /** Null where the peer does not tell its clock. */
  readonly skew: Skew | null;
}

export interface PageQuery {
  /** Empty: from the start. */
  readonly since: string;
  readonly limit: number;
  /** What we say of ourselves. */
  readonly member: Member;
  /** `membersHash` of what the peer last told us; null: nothing. */
  readonly known: string | null;
  /** Everything is compared: nothing may be left out for what we claim. */
  readonly full: boolean;
  /** Nothing may travel as its name alone. */
  readonly whole?: boolean;
  /** The newest cursor that we had before, where everything is compared once more; null: none. */
  readonly witness: string | null;
  /** The instance of the peer that we last heard of; null: none. */
  readonly heard: Heard | null;
  /** How long the peer may hold the request until there is something, in ms. */
  readonly waitMs: number;
  /** What `since` stands for is not applied yet. */
  readonly ahead: boolean;
  /** The peer said that it has something: what it has folded by now is enough. */
  readonly prompt?: boolean;
}

export interface NewsQuery {
  readonly since: string;
  /** Our epoch. */
  readonly epoch: string;
  /** How long the peer may hold the question, in ms. */
  readonly waitMs: number;
}

export interface ReceivedPage {
  readonly body: Uint8Array;
  /** Lower-case hex SHA-256 of `body`, checked. */
  readonly sha256: string;
  /** What to ask with next, where there is more; null where there is not, or the peer does not tell beforehand. */
  readonly nextCursor: string | null;
  /** Null where the peer does not tell its clock with a page. */
  readonly skew: Skew | null;
}

/** One peer's feed, as its puller sees it. Every failure is a SyncError. */
export interface PeerClient {
  /** Asks who answers there, and refuses another node or protocol than was expected. */
  health(signal: AbortSignal): Promise<PeerHealth>;
  page(query: PageQuery, signal: AbortSignal): Promise<ReceivedPage>;
  /** Whether there is a page to ask for: at once where there is, else held at the peer until there is, or for so long. */
  news(query: NewsQuery, signal: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

/** Characters of a foreign content type. */
const MAX_SHOWN_TYPE = 60;
const newsBody = z.object({ news: z.boolean() });

const healthBody = z.object({
  node: z.string(),
  protocol: z.number().optional(),
  server_time_ms: z.number().optional(),
});

/** `node` is our own id; the connection's name must be the node id that the peer answers with. */
export function createPeerClient(
  connection: HttpConnection,
  node: string,
  now: () => number,
  compression: Config['network']['compression'] = 'auto',
): PeerClient {
  const { target } = connection;
  const compressed = compression === 'always' || !isOnThisMachine(target.address);
  return {
    async health(signal) {
      const sentMs = now();
      const answer = await connection.send(
        { method: 'GET', path: '/health', compressed: false, short: true },
        signal,
      );
      const receivedMs = now();
      if (answer.status !== 200) throw answerError(answer, target);
      const health = healthBody.safeParse(shortJson(answer));
      if (!health.success) throw notAReplica(target);
      requireIdentity(health.data, node, target);
      const { server_time_ms: theirsMs } = health.data;
      return { skew: theirsMs === undefined ? null : skewOf({ sentMs, receivedMs, theirsMs }) };
    },
    async page({ since, limit, waitMs, ahead, prompt = false, ...rest }, signal) {
      const query = new URLSearchParams({ since, limit: String(limit), node, epoch: rest.member.epoch });
      if (ahead) query.set('ahead', '1');
      if (prompt) query.set('prompt', '1');
      if (waitMs > 0) query.set('wait', String(Math.ceil(waitMs / 1000)));
      const path = `/sync/changes?${query.toString()}${memberQuery(rest)}`;
      const sentMs = now();
      const request = { path, headers: intact(path), waitMs, compressed };
      const answer = await connection.send({ method: 'GET', ...request }, signal);
      const receivedMs = now();
      if (answer.status !== 200) throw answerError(answer, target);
      const theirsMs = serverTimeOf(answer);
      const skew = theirsMs === null ? null : skewOf({ sentMs, receivedMs, theirsMs });
      return { ...checkedPage(answer, target.name), skew };
    },
    async news({ since, epoch, waitMs }, signal) {
      const wait = String(Math.ceil(waitMs / 1000));
      const query = new URLSearchParams({ since, node, epoch, peek: '1', wait });
      const path = `/sync/changes?${query.toString()}`;
      const question = { path, headers: intact(path), waitMs, compressed: false, short: true, held: true };
      const answer = await connection.send({ method: 'GET', ...question }, signal);
      if (answer.status !== 200) throw answerError(answer, target);
      const body = newsBody.safeParse(shortJson(answer));
      if (!body.success) throw notAReplica(target);
      return body.data.news;
    },
    close: () => connection.close(),
  };
}

/** A request that the network changes is refused. */
function intact(path: string): Record<string, string> {
  return { [REQUEST_HASH_HEADER]: createHash('sha256').update(path).digest('hex') };
}

type PagePuller = Pick<PageQuery, 'member' | 'known' | 'full' | 'whole' | 'witness' | 'heard'>;

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

function serverTimeOf({ headers }: HttpAnswer): number | null {
  const told = headers[SERVER_TIME_HEADER];
  return typeof told === 'string' && /^\d{1,15}$/.test(told) ? Number(told) : null;
}

function checkedPage({ headers, body }: HttpAnswer, peer: string): Omit<ReceivedPage, 'skew'> {
  requireJson(headers['content-type'], peer);
  const promised = headers[PAGE_HASH_HEADER];
  const sha256 = createHash('sha256').update(body).digest('hex');
  if (promised === sha256) return { body, sha256, nextCursor: announcedCursor(headers, body) };
  const fault = typeof promised === 'string' ? 'does not match its' : 'has no';
  throw new SyncError('page_damaged', `a page from ${peer} ${fault} ${PAGE_HASH_HEADER}`, {
    hint: 'It was discarded and will be asked for again; if it stays so, something on the way changes answers.',
  });
}

/** Null where the page itself does not say so: only its body is sure to have come as it was sent. */
function announcedCursor(headers: HttpAnswer['headers'], body: Buffer): string | null {
  const next = headers[NEXT_CURSOR_HEADER];
  if (typeof next !== 'string' || parseCursor(next) === null) return null;
  return body.lastIndexOf(`"next_cursor":"${next}"`) < 0 ? null : next;
}

/** What stands between two replicas answers in HTML: the login page of a network, the error page of a proxy. */
function requireJson(type: string | string[] | undefined, peer: string): void {
  if (type === undefined || /^application\/json\s*(;|$)/i.test(String(type))) return;
  const shown = String(type).slice(0, MAX_SHOWN_TYPE);
  throw new SyncError('page_damaged', `a page from ${peer} is ${shown}, not JSON`, {
    hint: 'It was discarded and will be asked for again; something on the way answers in its place.',
  });
}

function requireIdentity(
  health: z.infer<typeof healthBody>,
  node: string,
  target: HttpConnection['target'],
): void {
  const { name, address } = target;
  if (health.node === node) {
    throw new SyncError('peer_is_self', `${address} answers with our own node id "${node}"`, {
      hint: `Either that is this replica itself, or two replicas have one node id: correct the address of ${name}, or give one of them another node.id.`,
    });
  }
  if (health.node !== name) {
    const other = health.node.slice(0, 64);
    throw new SyncError('wrong_node', `${address} is configured as ${name} but answers as "${other}"`, {
      hint: 'Correct the name or the address under peers: in the configuration.',
    });
  }
  if (health.protocol !== undefined && health.protocol !== PROTOCOL) {
    throw new SyncError(
      'protocol_mismatch',
      `${name} (${address}) speaks protocol ${health.protocol}, this replica ${PROTOCOL}`,
      { hint: 'Install the same version of sqlite-p2p-sync on both.' },
    );
  }
}

function isOnThisMachine(address: string): boolean {
  return isLoopback(new URL(address).hostname.replace(/^\[|\]$/g, ''));
}

function notAReplica({ name, address }: HttpConnection['target']): SyncError {
  return new SyncError('not_a_replica', `what answers for ${name} at ${address} is no sqlite-p2p-sync`, {
    hint: 'Correct the address under peers: in the configuration; does another program listen there?',
  });
}
