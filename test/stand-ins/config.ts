import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config, PeerConfig } from '#src/config/config.js';

export interface ConfigOptions {
  readonly node?: string;
  readonly peers?: readonly PeerConfig[];
  readonly apiKeys?: readonly string[];
  readonly host?: string;
  readonly port?: number;
  readonly sync?: Partial<Config['sync']>;
  readonly network?: Partial<Config['network']>;
  readonly clock?: Partial<Config['clock']>;
  readonly database?: Partial<Config['database']>;
}

/** A configuration as `loadConfig` returns it, with the times of a test: no retries, long intervals, any port. */
export function testConfig(options: ConfigOptions = {}): Config {
  return {
    file: join(tmpdir(), 'sync-config.yaml'),
    node: {
      id: options.node ?? 'desktop',
      name: options.node ?? 'desktop',
      listen: { host: options.host ?? '127.0.0.1', port: options.port ?? 0 },
    },
    database: {
      path: join(tmpdir(), 'no-such-folder-of-ours.db'),
      wal: true,
      synchronous: 'normal',
      busyTimeoutMs: 5000,
      walAutocheckpointPages: 1000,
      checkpointIntervalMs: 300_000,
      walRestartAboveBytes: 50_000_000,
      walWarnAboveBytes: 100_000_000,
      lowDiskBytes: 0,
      maintenance: '0 0 2 * * *',
      ...options.database,
    },
    tables: [
      {
        name: 'words',
        primaryKey: null,
        timestampColumn: 'updated_at',
        timestampFormat: 'auto',
        softDeleteColumn: null,
        conflictResolution: 'latest_wins',
        preferredNode: null,
        resolver: null,
        excludeColumns: [],
        allowIntegerKey: false,
      },
    ],
    peers: options.peers ?? [],
    tracing: { otlpEndpoint: null },
    sync: { intervalMs: 3_600_000, schedule: null, pageSize: 1000, live: false, ...options.sync },
    network: {
      connectTimeoutMs: 2000,
      requestTimeoutMs: 5000,
      reconnectIntervalMs: 3_600_000,
      maxRetries: 0,
      retryBackoffMs: 1,
      breakerFailures: 5,
      breakerCooldownMs: 30_000,
      compression: 'auto',
      discovery: false,
      discoveryInterface: null,
      ...options.network,
    },
    clock: { maxSkewMs: 5000, abortSkewMs: 60_000, requireNtp: 'off', ...options.clock },
    security: {
      apiKeyEnv: 'SYNC_API_KEY',
      minKeyLength: 32,
      apiKeys: options.apiKeys ?? [],
      tls: null,
      rateLimit: 100,
      rateLimitBurst: 10,
    },
    retention: { schedule: '0 0 3 * * *', softDeletedMs: null },
    backup: { schedule: null, dir: join(tmpdir(), 'no-such-folder-of-ours'), keep: 7 },
    timestampColumnPatterns: [],
    log: { level: 'info', format: 'text', file: null, maxSizeBytes: 1_000_000, maxFiles: 3 },
  };
}
