import type { Config, PeerConfig } from '../config/config.js';
import { isLoopback } from '../config/addresses.js';
import { servesTls } from '../config/tls.js';
import { createAllowance } from '../discovery/allowance.js';
import { startDiscovery, type Discovery } from '../discovery/discovery.js';
import type { Heard } from '../discovery/found.js';
import { lookAround } from '../discovery/look-around.js';
import type { Listening } from '../feed/listen.js';
import type { Logger } from '../log/logger.js';
import type { PeerFinder } from '../pull/roaming.js';

/** One announcement in `GET /sync/status`. Anyone in the network can announce anything. */
export interface FoundReport {
  readonly node: string;
  /** Base URLs, the likeliest first. */
  readonly addresses: readonly string[];
  readonly protocol: number;
  /** `configured`: it is named under peers:, as `peers accept` does it. `found`: it is never pulled from. */
  readonly state: 'configured' | 'found';
  /** ms since 1970. */
  readonly seen_ms: number;
}

export function foundReports(heard: readonly Heard[], peers: readonly PeerConfig[]): FoundReport[] {
  return heard.map(({ node, addresses, protocol, seenMs }) => ({
    node,
    addresses,
    protocol,
    state: peers.some(({ name }) => name === node) ? 'configured' : 'found',
    seen_ms: seenMs,
  }));
}

export interface AnnounceParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly epoch: string;
  readonly listening: Pick<Listening, 'host' | 'port'>;
  /** The configured peers as they are now. */
  peers(): readonly PeerConfig[];
  /** A configured peer was found, or other addresses of one. */
  onFound(node: string): void;
}

/** Times that a find makes us try a peer at once, in so long; otherwise it waits for its probe. */
const MAX_TRIES = 5;
const TRIES_MS = 10_000;

/** Announces a replica that listens, and looks for others; null where discovery is off or does not work. */
export async function announceAndFind(parts: AnnounceParts): Promise<Discovery | null> {
  const { config, logger, epoch, listening } = parts;
  const { discovery, discoveryInterface: interfaceAddress } = config.network;
  if (!discovery) return null;
  const node = config.node.id;
  // Where nobody can reach us there is nothing to announce, but still something to find.
  const hidden = isLoopback(listening.host) && (interfaceAddress === null || !isLoopback(interfaceAddress));
  if (hidden) {
    logger.warn('not announced: only this machine can reach the address that the feed listens on', {
      hint: 'Set node.listen to 0.0.0.0:8091 or to an address in the local network, with a key.',
    });
  }
  const scheme = servesTls(config.security) ? 'https' : 'http';
  const isWanted = (name: string) => parts.peers().some((peer) => peer.name === name);
  const isAllowed = createAllowances();
  return startDiscovery({
    own: hidden ? null : { node, epoch, port: listening.port, scheme },
    interfaceAddress,
    logger,
    isWanted,
    onFound: (name) => {
      if (isWanted(name) && isAllowed(name)) parts.onFound(name);
    },
  });
}

/** Whoever announces a peer at ever other addresses does not have us try all the time. */
function createAllowances(): (name: string) => boolean {
  const allowances = new Map<string, () => boolean>();
  return (name) => {
    const allowance = allowances.get(name) ?? createAllowance(MAX_TRIES, TRIES_MS, () => performance.now());
    allowances.set(name, allowance);
    return allowance();
  };
}

/** Where peers without an address are now, for one pull or question; null where all have one. */
export async function findOnce(
  config: Config,
  peers: readonly PeerConfig[],
  logger: Logger,
): Promise<PeerFinder | null> {
  const wanted = peers.filter(({ address }) => address === null).map(({ name }) => name);
  if (!config.network.discovery || wanted.length === 0) return null;
  const { discoveryInterface: interfaceAddress } = config.network;
  const heard = await lookAround({ interfaceAddress, logger, wanted });
  const places = new Map<string, string>();
  return {
    placeOf: (node) => places.get(node) ?? null,
    addressesOf: (node) => heard.flatMap((each) => (each.node === node ? each.addresses : [])),
    onMoved: (peer, address) => {
      places.set(peer, address);
      logger.debug('peer found', { peer, address });
    },
  };
}
