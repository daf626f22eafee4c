import type { Config, PeerConfig } from '../config/config.js';
import { SyncError } from '../errors.js';
import { pullPeer } from '../pull/pull.js';
import { Turns } from '../pull/turns.js';
import { pullParts } from './pulls.js';
import { tlsOf } from '../tls/client.js';
import { Reader } from '../threads/reader.js';
import { Writer } from '../threads/writer.js';
import type { ApplyResponse } from '../threads/calls.js';
import { trust } from '../snapshot/adopt.js';

const ALIVE_MS = 60_000;
/** A source that is written to faster than we pull has no head to arrive at: the daemon goes on from there. */
const MAX_PULL_MS = 5_000;

export interface FirstPull {
  /** Null where nothing was pulled. */
  readonly pulled: { readonly received: number; readonly applied: number } | null;
  readonly error: SyncError | null;
  /** The pull went on from the snapshot, and the source knows this replica now. */
  readonly trusted: boolean;
}

/**
 * Pulls from the source of a snapshot what was written there since, which also makes this replica known to it. A failure
 * that a person can act on is an outcome: the daemon will pull again. `suspect`: the source may hold rows whose deletion
 * it missed, and now this replica.
 */
export async function firstPull(config: Config, peer: PeerConfig, suspect: boolean): Promise<FirstPull> {
  // In this thread: nothing else waits for it.
  const writer = new Writer(config);
  const reader = new Reader(config);
  const enough = new AbortController();
  const startedMs = performance.now();
  let startedOver = false;
  let pulled: FirstPull['pulled'] = null;
  let error: SyncError | null = null;
  const parts = pullParts(peer, {
    config,
    reader,
    writer: {
      apply: (request) => writer.apply(request),
      resetCursor: (name) => {
        startedOver = true;
        return writer.resetCursor(name);
      },
    },
    admit: () => Promise.resolve(),
    turns: new Turns(),
    tls: tlsOf(config),
    now: Date.now,
  });
  const onPage = ({ received, applied }: ApplyResponse): void => {
    pulled = { received: received + (pulled?.received ?? 0), applied: applied + (pulled?.applied ?? 0) };
    if (performance.now() - startedMs > MAX_PULL_MS) enough.abort();
  };
  // A pause between two attempts keeps no process alive.
  const alive = setInterval(() => undefined, ALIVE_MS);
  try {
    startedOver = (await writer.open()).renewal !== null;
    await reader.open();
    await pullPeer({ ...parts, onSkew: () => undefined, onPage }, enough.signal);
  } catch (thrown) {
    if (!(thrown instanceof SyncError) && !enough.signal.aborted) throw thrown;
    if (thrown instanceof SyncError) error = thrown;
  } finally {
    clearInterval(alive);
    await parts.client.close();
    await reader.close();
    await writer.close();
  }
  const trusted = pulled !== null && !startedOver;
  if (trusted && !suspect) trust(config);
  return { pulled, error, trusted };
}
