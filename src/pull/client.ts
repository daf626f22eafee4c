import { createHash } from 'node:crypto';
import { z } from 'zod';
import { skewOf, type Skew } from '../clock/skew.js';
import { isLoopback } from '../config/addresses.js';
import type { Config } from '../config/config.js';
import { SyncError } from '../errors.js';
import {
  changesQueryText,
  questionText,
  type ChangesRequest,
  type QuestionRequest,
} from '../wire/changes-request.js';
import { NEXT_CURSOR_HEADER, PAGE_HASH_HEADER, SERVER_TIME_HEADER } from '../wire/http.js';
import { parseCursor } from '../wire/cursor.js';
import { PROTOCOL } from '../wire/page.js';
import { answerError } from './answer-error.js';
import { intact } from './intact.js';
import { shortJson, type HttpAnswer, type HttpConnection } from './request.js';
import { serverTime } from '../wire/server-time.js';

export interface PeerHealth {
  /** Null where the peer does not tell its clock. */
  readonly skew: Skew | null;
}

export type { ChangesRequest as PageQuery };

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
  page(query: ChangesRequest, signal: AbortSignal): Promise<ReceivedPage>;
  /**
   * Whether there is a page to ask for, or that page: at once where there is, else held at the peer until there is, or
   * for so long.
   */
  news(query: QuestionRequest, signal: AbortSignal): Promise<boolean | ReceivedPage>;
  close(): Promise<void>;
}

/** Characters of a foreign content type. */
const MAX_SHOWN_TYPE = 60;
const newsBody = z.object({ news: z.boolean() });

const healthBody = z.object({
  node: z.string(),
  protocol: z.number().optional(),
  server_time_ms: serverTime.optional(),
});

/** `node` is our own id; the connection's name must be the node id that the peer answers with. */
export function createPeerClient(
  connection: HttpConnection,
  node: string,
  now: () => number,
  compression: Config['network']['compression'] = 'auto',
): PeerClient {
  const { target } = connection;
  const isCompressed = () => compression === 'always' || !isOnThisMachine(target.address);
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
    async page(query, signal) {
      const path = `/sync/changes?${changesQueryText(query, node)}`;
      const { waitMs } = query;
      const request = { path, headers: intact(path), waitMs, compressed: isCompressed() };
      const sentMs = now();
      const answer = await connection.send({ method: 'GET', ...request }, signal);
      if (answer.status !== 200) throw answerError(answer, target);
      return receivedPage(answer, sentMs);
    },
    async news(query, signal) {
      const { waitMs } = query;
      const path = `/sync/changes?${questionText(query, node)}`;
      const question = {
        path,
        headers: intact(path),
        waitMs,
        compressed: isCompressed(),
        short: true,
        held: true,
      };
      const sentMs = now();
      const answer = await connection.send({ method: 'GET', ...question }, signal);
      if (answer.status !== 200) throw answerError(answer, target);
      if (answer.headers[PAGE_HASH_HEADER] !== undefined) return receivedPage(answer, sentMs);
      const body = newsBody.safeParse(shortJson(answer));
      if (!body.success) throw notAReplica(target);
      return body.data.news;
    },
    close: () => connection.close(),
  };

  function receivedPage(answer: HttpAnswer, sentMs: number): ReceivedPage {
    const theirsMs = serverTimeOf(answer);
    const skew = theirsMs === null ? null : skewOf({ sentMs, receivedMs: now(), theirsMs });
    return { ...checkedPage(answer, target.name), skew };
  }
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

/** Refuses who answers there where that is another than configured. */
export function requireIdentity(
  health: { readonly node: string; readonly protocol?: number | undefined },
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

/** Whether the address is one of this machine's own. */
export function isOnThisMachine(address: string): boolean {
  return isLoopback(new URL(address).hostname.replace(/^\[|\]$/g, ''));
}

/** What is told of an answer that no replica gives. */
export function notAReplica({ name, address }: HttpConnection['target']): SyncError {
  return new SyncError('not_a_replica', `what answers for ${name} at ${address} is no sqlite-p2p-sync`, {
    hint: 'Correct the address under peers: in the configuration; does another program listen there?',
  });
}
