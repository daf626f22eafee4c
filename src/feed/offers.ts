import { raw, type Request, type RequestHandler, type Response } from 'express';
import { skewOf, type Skew } from '../clock/skew.js';
import { SyncError } from '../errors.js';
import type { ApplyResponse, PullStart } from '../threads/calls.js';
import { TRACEPARENT_HEADER } from '../tracing/trace-parent.js';
import { UNTRACED } from '../tracing/tracer.js';
import { changesQueryText } from '../wire/changes-request.js';
import { MAX_RESPONSE_BYTES, PAGE_HASH_HEADER } from '../wire/http.js';
import type { Invitation, OfferedTo, OfferQuery } from '../wire/offer.js';
import { PROTOCOL } from '../wire/page.js';
import type { FeedParts } from './feed.js';
import { parseOfferQuery } from './offer-query.js';
import { requireIntact } from './intact.js';
import { ownersCheck } from './owners.js';
import { giveLonger } from './request-deadline.js';

/** What the feed asks of its replica about peers that offer pages. */
export interface OfferDesk {
  /** Names of the peers that are configured here; nobody else may offer. */
  readonly peers: readonly string[];
  /** Changes per page that peers are invited to offer. */
  readonly pageSize: number;
  /** Rejects where nothing may be applied now, e.g. with `low_disk`. */
  admit(): Promise<void>;
  /** Told how the clock of who offers stands to ours. Throws `clock_skew` where they differ too far. */
  acceptSkew(peer: string, skew: Skew): void;
  /** How far clocks are ahead of ours in ms, by node id, where that is known. */
  skewsMs(): Readonly<Record<string, number>>;
  /** Told of each page that was applied. */
  took(peer: string, page: ApplyResponse): void;
  /** Told of each page of a configured peer that was not. */
  refused(peer: string, error: unknown): void;
}

/** After this the page before is applied, for the most part. */
const BUSY_RETRY_S = 1;

/**
 * `POST /sync/changes`: a pull in which the peer that can't be reached carries both ways. It asks what we would ask
 * it, and offers the page that is the answer. Applied as if we had pulled it.
 */
export function offerRoute(parts: FeedParts): RequestHandler[] {
  const requireOneOwner = ownersCheck(parts.logger);
  const uploads = new Uploads();
  const admit: RequestHandler = async (request, response, next) => {
    requireIntact(request);
    const receivedMs = parts.now();
    const query = parseOfferQuery(request.query);
    requirePeer(query, parts);
    requireOneOwner(query);
    response.locals.offer = query;
    if (query.page !== null) {
      try {
        await parts.offers.admit();
        acceptClock(query.page, query.node, receivedMs, parts.offers);
      } catch (error) {
        parts.offers.refused(query.node, error);
        throw error;
      }
      uploads.begin(query.node, request, response);
      giveLonger(request);
    }
    next();
  };
  const take: RequestHandler = async (request, response) => {
    const { node, invalid, page } = response.locals.offer as OfferQuery;
    if (invalid !== null) await startOver(parts, node, invalid);
    const applied =
      page === null ? null : await uploads.whileTaken(node, request, () => apply(parts, node, page, request));
    response.json(await invitation(parts, node, applied));
  };
  const body = raw({ type: 'application/json', limit: MAX_RESPONSE_BYTES });
  return [admit, body, take];
}

/** Pages on their way, one a peer, and those that are applied, one a peer besides: more would fill the memory. */
class Uploads {
  private readonly taken = new Set<string>();
  private readonly open = new Map<string, { readonly request: Request; readonly response: Response }>();

  /** A peer that lost its connection starts anew, and we may not know. */
  begin(node: string, request: Request, response: Response): void {
    if (this.taken.has(node)) {
      response.set('retry-after', String(BUSY_RETRY_S));
      throw new SyncError('offer_busy', `the page that "${node}" offered before is still being applied`, {
        hint: 'It is offered again by itself after retry-after.',
      });
    }
    this.open.get(node)?.response.destroy();
    this.open.set(node, { request, response });
    response.once('close', () => {
      this.came(node, request);
    });
  }

  /** Runs work on the page that has come. */
  async whileTaken<T>(node: string, request: Request, work: () => Promise<T>): Promise<T> {
    this.came(node, request);
    this.taken.add(node);
    try {
      return await work();
    } finally {
      this.taken.delete(node);
    }
  }

  private came(node: string, request: Request): void {
    if (this.open.get(node)?.request === request) this.open.delete(node);
  }
}

/**
 * The other clock was read after our invitation had left, and before the page came. A clock that was set meanwhile tells
 * nothing.
 */
function acceptClock({ clocks }: OfferedTo, peer: string, receivedMs: number, offers: OfferDesk): void {
  if (clocks === null || clocks.invitedMs > receivedMs) return;
  offers.acceptSkew(peer, skewOf({ sentMs: clocks.invitedMs, receivedMs, theirsMs: clocks.sentMs }));
}

function requirePeer({ node }: OfferQuery, { node: ours, offers }: FeedParts): void {
  if (node === ours) {
    throw new SyncError(
      'own_node',
      `a replica that calls itself "${node}" offers changes, as this one does`,
      {
        hint: 'Two replicas with one node id: give one of them another node.id.',
      },
    );
  }
  if (offers.peers.includes(node)) return;
  throw new SyncError('not_a_peer', `"${node}" is no peer of this replica, which takes no changes from it`, {
    hint: `Name it under peers: in the configuration of ${ours} ("- name: ${node}", without an address if it can't be reached from there).`,
  });
}

/** The peer's log is another one than our cursor is of. One that has moved meanwhile is not. */
async function startOver({ reader, writer }: FeedParts, node: string, invalid: string): Promise<void> {
  const { cursor } = await reader.pullStart(node);
  if (cursor === invalid) await writer.resetCursor(node);
}

async function apply(
  { writer, offers, tracer = UNTRACED }: FeedParts,
  peer: string,
  { since, to: epoch, pruned }: OfferedTo,
  request: Request,
): Promise<ApplyResponse> {
  try {
    const sent = { body: bodyOf(request), sha256: hashOf(request, peer) };
    const page = { peer, epoch, pruned, since, skewsMs: offers.skewsMs(), ...sent };
    const attributes = { 'sync.peer': peer, 'sync.page_bytes': sent.body.byteLength };
    const parent = request.get(TRACEPARENT_HEADER);
    const applied = await tracer.span('take page', { kind: 'server', parent, attributes }, () =>
      writer.apply(page),
    );
    offers.took(peer, applied);
    return applied;
  } catch (error) {
    offers.refused(peer, error);
    throw error;
  }
}

function bodyOf({ body }: Request): Uint8Array {
  if (body instanceof Uint8Array) return body;
  throw new SyncError('bad_request', 'an offer with since has to bring a page', {
    hint: 'Send the page with content-type: application/json.',
  });
}

function hashOf(request: Request, peer: string): string {
  const promised = request.get(PAGE_HASH_HEADER);
  if (promised !== undefined) return promised;
  throw new SyncError('page_damaged', `A page from "${peer}" has no ${PAGE_HASH_HEADER}.`, {
    hint: 'It was discarded; does something on the way change headers?',
  });
}

/** What we would ask the peer for now. */
async function invitation(
  parts: FeedParts,
  peer: string,
  applied: ApplyResponse | null,
): Promise<Invitation> {
  const { node, reader, offers } = parts;
  const start = await reader.pullStart(peer);
  return {
    protocol: PROTOCOL,
    node,
    epoch: start.member.epoch,
    server_time_ms: parts.now(),
    cursor: start.cursor,
    pruned: start.pruned,
    request: requestText(start, node, offers.pageSize),
    ...(applied === null ? {} : { taken: takenOf(applied) }),
  };
}

function requestText({ cursor: since, ...start }: PullStart, node: string, limit: number): string {
  return changesQueryText({ ...start, since, limit, waitMs: 0, ahead: false }, node);
}

function takenOf({ received, applied, skipped, conflicts, quarantined }: ApplyResponse) {
  return { received, applied, skipped, conflicts, quarantined };
}
