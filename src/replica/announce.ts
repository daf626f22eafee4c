import { isLoopback } from '../config/addresses.js';
import type { Config } from '../config/config.js';
import { isReachable } from '../config/peers.js';
import { servesTls } from '../config/tls.js';
import type { Logger } from '../log/logger.js';

/** Says what is replicated, how often, and where the feed listens (`address`, e.g. `127.0.0.1:8091`). */
export function announce(config: Config, address: string, logger: Logger): void {
  const { tables, peers, sync, node, database, security } = config;
  logger.info('replicating', {
    node: node.id,
    database: database.path,
    tables: tables.map(({ name }) => name),
  });
  const rate =
    sync.schedule === null ? { everySeconds: sync.intervalMs / 1000 } : { schedule: sync.schedule };
  for (const { name, address, direction } of peers) {
    if (address === null) {
      logger.info('not pulling: a peer without an address offers its changes', { peer: name });
      continue;
    }
    const both = direction === 'both' ? { direction } : {};
    logger.info('pulling', { peer: name, address, ...both, ...rate, live: sync.live });
  }
  if (peers.length === 0) logger.info('no peer is configured: only serving');
  logger.info('listening', { address: `${servesTls(security) ? 'https' : 'http'}://${address}` });
  warnOfClearKey(config, logger);
}

const CLEAR_HINT =
  'Set security.tls (docs/security.md), or keep to a network that is encrypted itself, such as a VPN.';

/** Whoever sees the packets of plain HTTP has the key, and with it every replicated row. */
function warnOfClearKey({ node, peers, security }: Config, logger: Logger): void {
  if (security.apiKeys.length === 0) return;
  const message = 'the key travels in clear';
  if (!servesTls(security) && !isLoopback(node.listen.host)) {
    logger.warn(message, { listen: node.listen.host, hint: CLEAR_HINT });
  }
  for (const { name, address } of peers.filter(isReachable)) {
    const { protocol, hostname } = new URL(address);
    if (protocol !== 'http:' || isLoopback(hostname.replace(/^\[|\]$/g, ''))) continue;
    logger.warn(message, { peer: name, address, hint: CLEAR_HINT });
  }
}
