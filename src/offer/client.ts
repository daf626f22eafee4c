import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { skewOf, type Skew } from '../clock/skew.js';
import type { Config } from '../config/config.js';
import { SyncError } from '../errors.js';
import { isOnThisMachine, notAReplica, requireIdentity } from '../pull/client.js';
import { intact } from '../pull/intact.js';
import { shortJson, type HttpConnection, type RawBody } from '../pull/request.js';
import type { PageResponse, ReaderCalls } from '../threads/calls.js';
import { PAGE_HASH_HEADER } from '../wire/http.js';
import {
  invitedQuery,
  offerQueryText,
  parseInvitation,
  type Invitation,
  type OfferQuery,
} from '../wire/offer.js';
import { offerError } from './answer.js';

/** What a peer wants to be offered next, and how its clock stands. */
export interface Invited {
  readonly invitation: Invitation;
  readonly skew: Skew;
}

/** A page that answers an invitation. */
export type OfferedPage = Pick<PageResponse, 'body' | 'sha256'>;

/** The feed of a peer that can't reach us, as we see it when we offer it pages. Every failure is a SyncError. */
export interface OfferClient {
  /** Asks what to offer. `invalid`: a cursor that it named before, and that is not of our log. */
  ask(invalid: string | null, signal: AbortSignal): Promise<Invited>;
  /** Offers a page. Rejects with `cursor_moved`, `instance_renewed` or `rows_missing` where the peer wants another. */
  offer(invitation: Invitation, page: OfferedPage, signal: AbortSignal): Promise<Invited>;
  close(): Promise<void>;
}

const gzipped = promisify<Uint8Array, object, Buffer>(gzip);

/** The connection's name must be the node id that the peer answers with. */
export function createOfferClient(
  connection: HttpConnection,
  reader: Pick<ReaderCalls, 'identity'>,
  now: () => number,
  compression: Config['network']['compression'] = 'auto',
): OfferClient {
  const { target } = connection;
  /** A peer that is found again may be on another machine. */
  const packs = () => compression === 'always' || !isOnThisMachine(target.address);

  async function post(
    rest: Pick<OfferQuery, 'invalid' | 'page'>,
    raw: RawBody | null,
    signal: AbortSignal,
  ): Promise<Invited> {
    const { node, epoch } = await reader.identity();
    const path = `/sync/changes?${offerQueryText({ node, epoch, ...rest })}`;
    const sentMs = now();
    const what = raw === null ? { short: true } : { raw };
    const request = { path, headers: intact(path), compressed: packs(), ...what };
    const answer = await connection.send({ method: 'POST', ...request }, signal);
    const receivedMs = now();
    if (answer.status !== 200) throw offerError(answer, target);
    const invitation = parseInvitation(shortJson(answer));
    if (invitation === null) throw notAReplica(target);
    requireIdentity(invitation, node, target);
    requireOwnRequest(invitation, target.name);
    return { invitation, skew: skewOf({ sentMs, receivedMs, theirsMs: invitation.server_time_ms }) };
  }

  return {
    ask: (invalid, signal) => post({ invalid, page: null }, null, signal),
    async offer({ cursor: since, epoch: to, pruned, server_time_ms: invitedMs }, { body, sha256 }, signal) {
      const raw = packs() ? await packed(body, sha256) : plain(body, sha256);
      const clocks = { invitedMs, sentMs: now() };
      return post({ invalid: null, page: { since, to, pruned, clocks } }, raw, signal);
    },
    close: () => connection.close(),
  };
}

function plain(bytes: Uint8Array, sha256: string): RawBody {
  return { bytes, headers: { [PAGE_HASH_HEADER]: sha256 } };
}

async function packed(body: Uint8Array, sha256: string): Promise<RawBody> {
  const bytes = await gzipped(body, { level: constants.Z_BEST_SPEED });
  return { bytes, headers: { [PAGE_HASH_HEADER]: sha256, 'content-encoding': 'gzip' } };
}

/** The page goes to who answers there: what it asks for must be asked in its own name. */
function requireOwnRequest(invitation: Invitation, peer: string): void {
  const { node, epoch, since } = invitedQuery(invitation);
  if (node === peer && epoch === invitation.epoch && since === invitation.cursor) return;
  throw new SyncError('wrong_node', `${peer} asks for a page in the name of another replica`, {
    hint: 'Install the same version of sqlite-p2p-sync on both; nothing was offered.',
  });
}
