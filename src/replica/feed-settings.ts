import type { Config } from '../config/config.js';
import type { FeedParts } from '../feed/feed.js';

type FeedSettings = Pick<
  FeedParts,
  'node' | 'apiKeys' | 'requireClientCert' | 'rateLimit' | 'provesKeys' | 'tables' | 'silenceMs'
>;

/** What the feed has from the configuration. */
export function feedSettings({ network, node, security, tables }: Config): FeedSettings {
  return {
    node: node.id,
    apiKeys: security.apiKeys,
    requireClientCert: security.tls?.requireClientCert ?? false,
    rateLimit: { perSecond: security.rateLimit, burst: security.rateLimitBurst },
    provesKeys: network.discovery,
    tables: tables.map((table) => table.name),
    silenceMs: network.requestTimeoutMs,
  };
}
