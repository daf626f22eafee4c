import { dirname, resolve } from 'node:path';
import { keyFaults, splitKeys } from './api-keys.js';
import type { Config } from './config.js';
import { crossFaults } from './cross-checks.js';
import { expandVariables, type Expansion } from './expand.js';
import { configError, pathText, type Fault } from './faults.js';
import { readYaml } from './read-yaml.js';
import { faultsOf } from './schema-faults.js';
import { configSchema, type ConfigFile } from './schema.js';
import { readExpanded } from './schema-keys.js';
import { strategyFaults, strategyOf } from './strategies.js';
import { tlsConfigOf } from './tls.js';

/**
 * Reads, expands and validates a configuration file. The result is frozen through and through. Throws one
 * SyncError with exit code 2 that lists every fault with its path.
 */
export function loadConfig(
  path: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Config {
  const file = resolve(path);
  const raw = readYaml(file) ?? {};
  const expansion = expandVariables(raw, environment);
  const content = readExpanded(configSchema, expansion);
  const result = configSchema.safeParse(content);
  const sections = result.success ? result.data : soundSections(content);
  const keys = splitKeys(environment[sections.security?.api_key_env ?? '']);
  const faults = [
    ...expansion.faults,
    ...notExplainedBy(expansion, result.success ? [] : faultsOf(result.error.issues, configSchema, raw)),
    ...crossFaults(sections),
    ...strategyFaults(sections, dirname(file)),
    ...keyFaults(keys, sections),
  ];
  if (!result.success || faults.length > 0) throw configError(file, faults);
  return deepFreeze(toConfig(file, result.data, keys));
}

/** The sections that are right by themselves, so that faults between them can be listed along with the others. */
function soundSections(content: unknown): Partial<ConfigFile> {
  if (typeof content !== 'object' || content === null) return {};
  const sections = Object.entries(configSchema.shape).flatMap(([name, schema]) => {
    const result = schema.safeParse((content as Record<string, unknown>)[name]);
    return result.success ? [[name, result.data] as const] : [];
  });
  return Object.fromEntries(sections);
}

/** Without what follows from a variable that is not set, such as that its empty text is no valid address. */
function notExplainedBy(expansion: Expansion, faults: readonly Fault[]): Fault[] {
  const explained = new Set(expansion.faults.map((fault) => pathText(fault.path)));
  return faults.filter((fault) => !explained.has(pathText(fault.path)));
}

function toConfig(file: string, from: ConfigFile, apiKeys: readonly string[]): Config {
  const folder = dirname(file);
  const { node, database, sync, network, clock, security, log } = from;
  return {
    file,
    node: { id: node.id, name: node.name ?? node.id, listen: node.listen },
    database: {
      path: resolve(folder, database.path),
      wal: database.wal,
      synchronous: database.synchronous,
      busyTimeoutMs: database.busy_timeout,
      walAutocheckpointPages: database.wal_autocheckpoint,
      checkpointIntervalMs: database.checkpoint_interval,
      walRestartAboveBytes: database.wal_restart_above,
      walWarnAboveBytes: database.wal_warn_above,
      lowDiskBytes: database.low_disk,
      maintenance: database.maintenance,
    },
    tables: from.tables.map((table) => ({
      name: table.name,
      primaryKey: table.primary_key,
      timestampColumn: table.timestamp_column,
      timestampFormat: table.timestamp_format,
      softDeleteColumn: table.soft_delete_column,
      ...strategyOf(table, sync, folder),
      excludeColumns: table.exclude_columns,
      allowIntegerKey: table.allow_integer_key,
    })),
    peers: from.peers,
    sync: {
      intervalMs: sync.interval,
      schedule: sync.schedule,
      live: sync.live,
      pageSize: sync.page_size,
    },
    network: {
      connectTimeoutMs: network.connect_timeout,
      requestTimeoutMs: network.request_timeout,
      reconnectIntervalMs: network.reconnect_interval,
      maxRetries: network.max_retries,
      retryBackoffMs: network.retry_backoff,
      breakerFailures: network.breaker_failures,
      breakerCooldownMs: network.breaker_cooldown,
      compression: network.compression,
      discovery: network.discovery,
      discoveryInterface: network.discovery_interface,
    },
    clock: {
      maxSkewMs: clock.max_skew,
      abortSkewMs: clock.abort_skew,
      requireNtp: clock.require_ntp,
    },
    security: {
      apiKeyEnv: security.api_key_env,
      minKeyLength: security.min_key_length,
      apiKeys,
      tls: tlsConfigOf(security.tls, folder),
      rateLimit: security.rate_limit,
      rateLimitBurst: security.rate_limit_burst,
    },
    retention: { schedule: from.retention.schedule, softDeletedMs: from.retention.soft_deleted },
    backup: { ...from.backup, dir: resolve(folder, from.backup.dir) },
    tracing: { otlpEndpoint: from.tracing.otlp_endpoint },
    timestampColumnPatterns: from.timestamp_column_patterns,
    log: {
      level: log.level,
      format: log.format,
      file: log.file === null ? null : resolve(folder, log.file),
      maxSizeBytes: log.max_size,
      maxFiles: log.max_files,
    },
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
