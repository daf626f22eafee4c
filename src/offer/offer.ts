import { addCounts, NO_COUNTS } from '../apply/counts.js';
import { isSkewed, type Skew } from '../clock/skew.js';
import type { Config } from '../config/config.js';
import { isCode, SyncError } from '../errors.js';
import { parseChangesQuery, type ChangesQuery } from '../feed/changes-query.js';
import type { Attempts } from '../pull/attempts.js';
import { clockSkew } from '../pull/clock-skew.js';
import type { PageResponse } from '../threads/calls.js';
import { UNTRACED, type Tracer } from '../tracing/tracer.js';
import { invitedQuery, type Invitation, type Taken } from '../wire/offer.js';
import type { Invited, OfferClient } from './client.js';

/** What one offer did. */
export interface OfferResult extends Taken {
  readonly peer: string;
  readonly pages: number;
  readonly durationMs: number;
}

/** What an offer needs. */
export interface OfferParts {
  readonly peer: string;
  readonly client: OfferClient;
  /** Those of the pulls from this peer. */
  readonly attempts: Attempts;
  /** Names of the replicated tables. */
  readonly tables: readonly string[];
  readonly clock: Config['clock'];
  /** Default: nothing is traced. */
  readonly tracer?: Tracer;
  /** Reads a page as the feed answers it, and notes what its puller has. */
  page(query: ChangesQuery): Promise<PageResponse>;
  /** Told once per offer, before anything is sent. */
  onSkew(skew: Skew): void;
  /** Told of each page that the peer took, with its number of changes. */
  onTaken(changes: number): void;
  /** ms since 1970. */
  now(): number;
}

/** Times in a row that the peer may ask for another page than it was offered. */
const MAX_DETOURS = 20;

/** The peer wants another page than the one that it was offered. */
const ASK_AGAIN: ReadonlySet<string> = new Set(['cursor_moved', 'instance_renewed']);

/**
 * Offers a peer what it lacks of our log, to the head: asks what the peer would ask us, reads the page that is the
 * answer, sends it, and goes on with what the peer says then. Call one at a time for each peer. Rejects with a SyncError,
 * or with the signal's reason; what the peer applied until then stays there.
 */
export async function offer(parts: OfferParts, signal: AbortSignal): Promise<OfferResult> {
  const { peer, tracer = UNTRACED } = parts;
  return tracer.span('offer', { attributes: { 'sync.peer': peer } }, async () => {
    const startedMs = parts.now();
    const total = await new Offer(parts, signal).run();
    tracer.annotate({
      'sync.pages': total.pages,
      'sync.received': total.received,
      'sync.applied': total.applied,
      'sync.conflicts': total.conflicts,
      'sync.quarantined': total.quarantined,
    });
    return { ...total, durationMs: parts.now() - startedMs };
  });
}

class Offer {
  private total: Omit<OfferResult, 'durationMs'>;
  private detours = 0;
  private startedOver = false;
  private whole = false;

  constructor(
    private readonly parts: OfferParts,
    private readonly signal: AbortSignal,
  ) {
    this.total = { peer: parts.peer, pages: 0, ...NO_COUNTS };
  }

  async run(): Promise<Omit<OfferResult, 'durationMs'>> {
    const first = await this.attempt(() => this.parts.client.ask(null, this.signal));
    acceptSkew(this.parts, first.skew);
    for (let { invitation } = first; ;) {
      const page = await this.pageFor(invitation);
      this.signal.throwIfAborted();
      if (page === null) {
        invitation = await this.ask(invitation.cursor);
        continue;
      }
      const next = await this.send(invitation, page);
      if (next === null) {
        invitation = await this.ask(null);
        continue;
      }
      this.whole = false;
      this.parts.onTaken(page.changes);
      this.total = sum(this.total, next.taken);
      if (!page.hasMore) {
        // Asked with its new cursor, the peer says that it has all this; what came since goes with the next offer.
        await this.parts.page(this.queryOf(next));
        return this.total;
      }
      if (next.cursor === page.nextCursor) this.detours = 0;
      else this.takeDetour();
      invitation = next;
    }
  }

  /** The page that the peer asks for; null where its cursor is not of our log: then it has to start over, once. */
  private async pageFor(invitation: Invitation): Promise<PageResponse | null> {
    try {
      return await this.parts.page(this.queryOf(invitation));
    } catch (error) {
      if (!isCode(error, 'cursor_invalid') || this.startedOver) throw error;
      this.startedOver = true;
      return null;
    }
  }

  private queryOf(invitation: Invitation): ChangesQuery {
    const asked = parseChangesQuery(invitedQuery(invitation), this.parts.tables);
    return { ...asked, whole: this.whole, waitMs: 0, ahead: false };
  }

  /** Sends a page; null where the peer wants another. */
  private async send(invitation: Invitation, page: PageResponse): Promise<Invitation | null> {
    try {
      const sent = await this.attempt(() => this.parts.client.offer(invitation, page, this.signal));
      return sent.invitation;
    } catch (error) {
      if (isCode(error, 'rows_missing') && !this.whole) this.whole = true;
      else if (!(error instanceof SyncError && ASK_AGAIN.has(error.code))) throw error;
      this.takeDetour(error);
      return null;
    }
  }

  private async ask(invalid: string | null): Promise<Invitation> {
    return (await this.attempt(() => this.parts.client.ask(invalid, this.signal))).invitation;
  }

  private attempt(request: () => Promise<Invited>): Promise<Invited> {
    return this.parts.attempts.run(request, this.signal);
  }

  private takeDetour(cause?: unknown): void {
    this.detours += 1;
    if (this.detours <= MAX_DETOURS) return;
    throw new SyncError('peer_endless', `${this.parts.peer} asks for other pages again and again`, {
      hint: 'Nothing is lost, and it is tried again; is another process offering it the same?',
      cause,
    });
  }
}

function acceptSkew(parts: OfferParts, skew: Skew): void {
  const { peer, clock } = parts;
  parts.onSkew(skew);
  if (isSkewed(skew, clock.abortSkewMs)) throw clockSkew(peer, skew);
}

function sum(total: Omit<OfferResult, 'durationMs'>, taken: Taken | undefined): typeof total {
  return {
    peer: total.peer,
    pages: total.pages + 1,
    ...addCounts(total, taken ?? NO_COUNTS),
  };
}
