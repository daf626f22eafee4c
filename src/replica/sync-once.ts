import type { PeerConfig } from '../config/config.js';
import { SyncError } from '../errors.js';
import type { Logger } from '../log/logger.js';
import { endOf } from '../pull/metered-record.js';
import { pullPeer, type PullResult } from '../pull/pull.js';
import { createRecord, type PullListener } from '../pull/state.js';
import { pullParts, type PullDependencies } from './pulls.js';

/** How one peer's pull ended. */
export interface SyncOutcome {
  readonly peer: string;
  /** Null where the pull failed. */
  readonly result: PullResult | null;
  readonly error: SyncError | null;
}

export interface SyncOptions {
  /** A peer's name; default: all. */
  readonly peer?: string | undefined;
  /** From the start: everything is compared again. */
  readonly full?: boolean | undefined;
}

/** Pulls once from a peer to its head. A failure that a person can act on is an outcome, not a rejection. */
export async function syncOnce(
  peer: PeerConfig,
  full: boolean,
  parts: PullDependencies & { readonly logger: Logger; readonly listener: PullListener },
  signal: AbortSignal,
): Promise<SyncOutcome> {
  const record = createRecord({ ...parts, peer: peer.name, clock: parts.config.clock });
  const pull = {
    ...pullParts(peer, parts),
    onSkew: record.skew,
    onPage: record.page,
  };
  const startedMs = performance.now();
  try {
    if (full) await parts.writer.resetCursor(peer.name);
    const result = await pullPeer(pull, signal);
    parts.meter?.(peer.name, 'success', performance.now() - startedMs);
    return { peer: peer.name, result, error: null };
  } catch (error) {
    if (!signal.aborted) parts.meter?.(peer.name, endOf(error), performance.now() - startedMs);
    if (!(error instanceof SyncError)) throw error;
    return { peer: peer.name, result: null, error };
  } finally {
    await pull.client.close();
  }
}
