import type { Config } from '../config/config.js';
import type { Logger } from '../log/logger.js';

/** Says what is replicated, how often, and where the feed listens (`address`, e.g. `127.0.0.1:8091`). */
export function announce(config: Config, address: string, logger: Logger): void {
  const { tables, peers, sync, node, database } = config;
  logger.info('replicating', {
    node: node.id,
    database: database.path,
    tables: tables.map(({ name }) => name),
  });
  const rate =
    sync.schedule === null ? { everySeconds: sync.intervalMs / 1000 } : { schedule: sync.schedule };
  for (const { name, address } of peers) {
    logger.info('pulling', { peer: name, address: address ?? 'to be found', ...rate });
  }
  if (peers.length === 0) logger.info('no peer is configured: only serving');
  logger.info('listening', { address: `http://${address}` });
}
