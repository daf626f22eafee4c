import type { Config, PeerConfig } from '../config/config.js';
import { SyncError } from '../errors.js';
import { pullPeer, type PullResult } from '../pull/pull.js';
import { pullParts } from '../replica/pulls.js';
import { Reader } from '../threads/reader.js';
import { Writer } from '../threads/writer.js';
import { trust } from './adopt.js';

const ALIVE_MS = 60_000;

export interface FirstPull {
  /** Null where it failed. */
  readonly result: PullResult | null;
  readonly error: SyncError | null;
  /** The pull went on from the snapshot. */
  readonly trusted: boolean;
}

/**
 * Pulls from the source of a snapshot what was written there since, which also makes this replica known to it. A failure
 * that a person can act on is an outcome: the daemon will pull again.
 */
export async function firstPull(config: Config, peer: PeerConfig): Promise<FirstPull> {
  // In this thread: nothing else waits for it.
  const writer = new Writer(config);
  const reader = new Reader(config);
  let startedOver = false;
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
    now: Date.now,
  });
  // A pause between two attempts keeps no process alive.
  const alive = setInterval(() => undefined, ALIVE_MS);
  let result: PullResult | null = null;
  let error: SyncError | null = null;
  try {
    startedOver = (await writer.open()).renewal !== null;
    await reader.open();
    const pull = { ...parts, onSkew: () => undefined, onPage: () => undefined };
    result = await pullPeer(pull, new AbortController().signal);
  } catch (thrown) {
    if (!(thrown instanceof SyncError)) throw thrown;
    error = thrown;
  } finally {
    clearInterval(alive);
    await parts.client.close();
    await reader.close();
    await writer.close();
  }
  const trusted = result !== null && !startedOver;
  if (trusted) trust(config);
  return { result, error, trusted };
}
