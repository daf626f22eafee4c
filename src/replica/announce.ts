import { isLoopback } from '../config/addresses.js';
import type { Config, PeerConfig } from '../config/config.js';
import { isReachable } from '../config/peers.js';
import { servesTls } from '../config/tls.js';
import type { Logger } from '../log/logger.js';

/** Says what is replicated, how often, and where the feed listens (`address`, e.g. `127.0.0.1:8091`). */
export function announce(config: Config, address: string, logger: Logger): void {
  const { tables, peers, node, database, security } = config;
  logger.info('replicating', {
    node: node.id,
    database: database.path,
    tables: tables.map(({ name }) => name),
  });
  for (const peer of peers) announcePeer(config, peer, logger);
  if (peers.length === 0) logger.info('no peer is configured: only serving');
  logger.info('listening', { address: `${servesTls(security) ? 'https' : 'http'}://${address}` });
  warnOfClearKey(config, logger);
}

/** Says how the changes of a peer come here. */
export function announcePeer(
  config: Config,
  { name: peer, address, direction }: PeerConfig,
  logger: Logger,
): void {
  const { security, sync } = config;
  if (!isReachable({ address }, config)) {
    logger.info('not pulling: a peer without an address offers its changes', { peer });
    return;
  }
  const rate =
    sync.schedule === null ? { everySeconds: sync.intervalMs / 1000 } : { schedule: sync.schedule };
  const both = direction === 'both' ? { direction } : {};
  logger.info('pulling', { peer, address: address ?? 'to be found', ...both, ...rate, live: sync.live });
  if (address !== null) warnOfClear(security, { peer, address }, logger);
}

const CLEAR_WARNING = 'the key travels in clear';
const CLEAR_HINT =
  'Set security.tls (docs/security.md), or keep to a network that is encrypted itself, such as a VPN.';

/** Whoever sees the packets of plain HTTP has the key, and with it every replicated row. */
function warnOfClearKey({ node, security }: Config, logger: Logger): void {
  if (security.apiKeys.length === 0) return;
  if (!servesTls(security) && !isLoopback(node.listen.host)) {
    logger.warn(CLEAR_WARNING, { listen: node.listen.host, hint: CLEAR_HINT });
  }
}

/** The same for a peer that is asked at this base URL from now on. */
export function warnOfClear(
  { apiKeys }: Pick<Config['security'], 'apiKeys'>,
  { peer, address }: { readonly peer: string; readonly address: string },
  logger: Logger,
): void {
  if (apiKeys.length === 0 || !isInClear(address)) return;
  logger.warn(CLEAR_WARNING, { peer, address, hint: CLEAR_HINT });
}

/** Whether what is sent to this base URL leaves the machine, and is not encrypted. */
function isInClear(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'http:' && !isLoopback(hostname.replace(/^\[|\]$/g, ''));
}
