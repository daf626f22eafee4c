import type { PeerConfig } from '../config/config.js';
import { requireReachable } from '../config/peers.js';
import { SyncError } from '../errors.js';
import type { Logger } from '../log/logger.js';
import { endOf } from '../pull/metered-record.js';
import { createAttempts } from '../pull/attempts.js';
import { offer, type OfferResult } from '../offer/offer.js';
import { pullPeer, type PullResult } from '../pull/pull.js';
import { createRecord, type PullListener } from '../pull/state.js';
import type { ApplyResponse } from '../threads/calls.js';
import { offerParts, pullParts, type OfferDependencies, type PullDependencies } from './pulls.js';

/** How one peer's pull ended. */
export interface SyncOutcome {
  readonly peer: string;
  /** Null where the pull failed. */
  readonly result: PullResult | null;
  /** What the peer was offered; null where it pulls by itself, or the pull or the offer failed. */
  readonly offered: OfferResult | null;
  readonly error: SyncError | null;
}

export interface SyncOptions {
  /** A peer's name; default: all. */
  readonly peer?: string | undefined;
  /** From the start: everything is compared again. */
  readonly full?: boolean | undefined;
  /** Told with each page how many changes came in it. */
  readonly onReceived?: ((changes: number) => void) | undefined;
}

type SyncParts = PullDependencies &
  OfferDependencies &
  Pick<SyncOptions, 'onReceived'> & { readonly logger: Logger; readonly listener: PullListener };

/**
 * Pulls once from a peer to its head, and with `direction: both` offers it what it lacks. A failure that a person can
 * act on is an outcome, not a rejection.
 */
export async function syncOnce(
  peer: PeerConfig,
  full: boolean,
  parts: SyncParts,
  signal: AbortSignal,
): Promise<SyncOutcome> {
  let result: PullResult | null = null;
  try {
    requireReachable(peer, parts.config);
    result = await pullOnce(peer, full, parts, signal);
    const offered = peer.direction === 'both' ? await offerOnce(peer, parts, signal) : null;
    return { peer: peer.name, result, offered, error: null };
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    return { peer: peer.name, result, offered: null, error };
  }
}

async function pullOnce(
  peer: PeerConfig,
  full: boolean,
  parts: SyncParts,
  signal: AbortSignal,
): Promise<PullResult> {
  const record = createRecord({ ...parts, peer: peer.name, clock: parts.config.clock });
  const pull = {
    ...pullParts(peer, parts),
    onSkew: record.skew,
    onPage: (page: ApplyResponse) => {
      record.page(page);
      parts.onReceived?.(page.received);
    },
  };
  const startedMs = performance.now();
  try {
    if (full) await parts.writer.resetCursor(peer.name);
    const result = await pullPeer(pull, signal);
    parts.meter?.(peer.name, 'success', performance.now() - startedMs);
    return result;
  } catch (error) {
    if (!signal.aborted) parts.meter?.(peer.name, endOf(error), performance.now() - startedMs);
    throw error;
  } finally {
    await pull.client.close();
  }
}

async function offerOnce(peer: PeerConfig, parts: SyncParts, signal: AbortSignal): Promise<OfferResult> {
  const attempts = createAttempts(peer.name, parts.config.network);
  const { client, ...rest } = offerParts(peer, parts, attempts);
  try {
    // The pull has just told of the clocks.
    return await offer({ ...rest, client, onSkew: () => undefined }, signal);
  } finally {
    await client.close();
  }
}
