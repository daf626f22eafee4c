import { z } from 'zod';
import { MAX_CURSOR_LENGTH } from './cursor.js';
import { EPOCH, NODE_ID } from './instance.js';
import { serverTime } from './server-time.js';

/** Characters of the request in an invitation: above what fits in the URL of a `GET`. */
const MAX_REQUEST_LENGTH = 32 * 1024;

/** What became of the page that was offered. */
const taken = z.object({
  received: z.number().int().nonnegative(),
  applied: z.number().int().nonnegative(),
  skipped: z.number().int().nonnegative(),
  conflicts: z.number().int().nonnegative(),
  quarantined: z.number().int().nonnegative(),
});

/**
 * The answer of `POST /sync/changes`: the request for a page that this replica would send, if it could reach the one
 * that asks. Unknown fields are for newer replicas.
 */
const invitation = z.object({
  protocol: z.number(),
  node: z.string().regex(NODE_ID),
  epoch: z.string().regex(EPOCH),
  server_time_ms: serverTime,
  /** The cursor that may be offered from next; empty: the start. */
  cursor: z.string().max(MAX_CURSOR_LENGTH),
  /** Its newest pruned log id; to be sent back with the page. */
  pruned: z.number().int().nonnegative(),
  /** The query of `GET /sync/changes` that the page is to answer. */
  request: z.string().max(MAX_REQUEST_LENGTH),
  /** Absent where no page was offered. */
  taken: taken.optional(),
});

export type Taken = z.output<typeof taken>;
export type Invitation = z.output<typeof invitation>;

/** Null where the value is no invitation. */
export function parseInvitation(value: unknown): Invitation | null {
  return invitation.safeParse(value).data ?? null;
}

/** The query that an invitation asks with; of a parameter that stands there twice, the last counts. */
export function invitedQuery({ request }: Pick<Invitation, 'request'>): Readonly<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(request));
}

/** What is offered to whom: the query of `POST /sync/changes`. */
export interface OfferQuery {
  /** The node id of who offers, and its instance. */
  readonly node: string;
  readonly epoch: string;
  /** A cursor of an invitation that is not of its log: it starts over. */
  readonly invalid: string | null;
  /** Null where no page is offered, but an invitation asked for. */
  readonly page: OfferedTo | null;
}

/** The invitation that a page answers. */
export interface OfferedTo {
  /** The cursor that the page follows; empty: the start. */
  readonly since: string;
  /** The instance that invited. */
  readonly to: string;
  readonly pruned: number;
  /** When it invited, by its own clock, and when the page is sent, by that of who offers; null: not told. */
  readonly clocks: { readonly invitedMs: number; readonly sentMs: number } | null;
}

export function offerQueryText({ node, epoch, invalid, page }: OfferQuery): string {
  const query = new URLSearchParams({ node, epoch });
  if (invalid !== null) query.set('invalid', invalid);
  if (page === null) return query.toString();
  query.set('since', page.since);
  query.set('to', page.to);
  query.set('pruned', String(page.pruned));
  if (page.clocks !== null) {
    query.set('invited', String(page.clocks.invitedMs));
    query.set('now', String(page.clocks.sentMs));
  }
  return query.toString();
}
