import type { Config, PeerConfig } from '../config/config.js';
import { isReachable } from '../config/peers.js';
import { SyncError } from '../errors.js';
import { createAttempts } from '../pull/attempts.js';
import { createPeerClient, type PeerHealth } from '../pull/client.js';
import { createFingerprintClient } from '../pull/fingerprint-client.js';
import type { HttpConnection } from '../pull/request.js';
import { openRoaming, type PeerFinder } from '../pull/roaming.js';
import { tlsOf } from '../tls/client.js';
import type { TableShape } from '../wire/fingerprints.js';
import type { Setup } from './subjects.js';

/** What a peer said when it was asked as a puller asks it. Nothing is acknowledged by that. */
export interface Probe {
  readonly peer: PeerConfig;
  /** Who answers there is the right replica, of our protocol; null where that is not so. */
  readonly health: PeerHealth | null;
  /** It accepts our key, and replicates these tables; null where it did not say. */
  readonly tables: readonly TableShape[] | null;
  /** What went wrong first. */
  readonly error: SyncError | null;
}

export interface Probed extends Setup {
  readonly probes: readonly Probe[];
}

/** A peer that has not answered both questions by then is said not to. */
const MAX_PROBE_MS = 10_000;

/** Asks all peers that can be connected to at once, each question once. */
export function probePeers(config: Config, finder: PeerFinder | null): Promise<Probe[]> {
  const peers = config.peers.filter((peer) => isReachable(peer, config));
  return Promise.all(peers.map((peer) => probe(config, peer, finder)));
}

async function probe(config: Config, peer: PeerConfig, finder: PeerFinder | null): Promise<Probe> {
  const signal = AbortSignal.timeout(MAX_PROBE_MS);
  const once = createAttempts(peer.name, { ...config.network, maxRetries: 0 });
  let health: PeerHealth | null = null;
  let connection: HttpConnection | null = null;
  try {
    const target = {
      name: peer.name,
      address: peer.address,
      apiKey: config.security.apiKeys[0] ?? null,
      connectTimeoutMs: config.network.connectTimeoutMs,
      requestTimeoutMs: Math.min(config.network.requestTimeoutMs, MAX_PROBE_MS),
      tls: tlsOf(config),
    };
    connection = openRoaming(target, finder);
    health = await createPeerClient(connection, config.node.id, Date.now).health(signal);
    const { tables } = await createFingerprintClient(connection, once, signal).shapes();
    return { peer, health, tables, error: null };
  } catch (error) {
    return { peer, health, tables: null, error: asSyncError(error, peer) };
  } finally {
    await connection?.close();
  }
}

function asSyncError(error: unknown, { name, address }: PeerConfig): SyncError {
  if (error instanceof SyncError) return error;
  if (!(error instanceof DOMException)) throw error;
  return new SyncError(
    'peer_unreachable',
    `${name} (${address ?? 'to be found'}) gave no answer within ${MAX_PROBE_MS / 1000} s`,
    {
      hint: 'Look at the log of that replica, and at the network between.',
      cause: error,
    },
  );
}
