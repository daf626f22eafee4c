/**
 * The validated configuration: what `loadConfig` returns and every other room reads. Names follow the
 * configuration file (docs/config.example.yaml) in camel case; a unit stands in the name.
 */
export type TimestampFormat = 'auto' | 'unix_ms' | 'unix_s' | 'iso8601' | 'julian';
export type ConflictResolution = 'latest_wins' | 'source_wins' | 'manual' | 'custom';
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

export interface TableConfig {
  readonly name: string;
  /** Null: the schema's primary key. */
  readonly primaryKey: readonly string[] | null;
  readonly timestampColumn: string | null;
  readonly timestampFormat: TimestampFormat;
  readonly softDeleteColumn: string | null;
  readonly conflictResolution: ConflictResolution;
  /** Of `source_wins` the node id whose edits are preferred; else null. */
  readonly preferredNode: string | null;
  /** Of `custom` the absolute path of its module; else null. */
  readonly resolver: string | null;
  readonly excludeColumns: readonly string[];
  readonly allowIntegerKey: boolean;
}

export interface PeerConfig {
  /** The peer's node id. */
  readonly name: string;
  /**
   * Base URL without a trailing slash, e.g. `http://192.168.1.20:8091`. Null: discovery finds it; where that is off it
   * can't be reached from here, is not pulled, and feeds us over its own connections.
   */
  readonly address: string | null;
  /** `both`: besides pulling from it, we feed it over our own connections. Absent: `pull`. */
  readonly direction?: 'pull' | 'both';
}

/** Absolute paths of PEM files; null: not named. */
export interface TlsConfig {
  /** With a certificate, and then with a key too, the feed is served over HTTPS. */
  readonly certFile: string | null;
  readonly keyFile: string | null;
  /** The authorities that are trusted, in place of those of Node. */
  readonly caFile: string | null;
  /** Only who shows a certificate of such an authority is served. */
  readonly requireClientCert: boolean;
}

export interface Config {
  /** Absolute path of the file this was read from. */
  readonly file: string;
  readonly node: {
    readonly id: string;
    readonly name: string;
    readonly listen: { readonly host: string; readonly port: number };
  };
  readonly database: {
    /** Absolute. */
    readonly path: string;
    readonly wal: boolean;
    readonly synchronous: 'off' | 'normal' | 'full' | 'extra';
    readonly busyTimeoutMs: number;
    readonly walAutocheckpointPages: number;
    readonly checkpointIntervalMs: number;
    readonly walRestartAboveBytes: number;
    readonly walWarnAboveBytes: number;
    readonly lowDiskBytes: number;
    /** Cron line with seconds. */
    readonly maintenance: string;
  };
  readonly tables: readonly TableConfig[];
  readonly peers: readonly PeerConfig[];
  readonly sync: {
    readonly intervalMs: number;
    /** Cron line with seconds; overrides the interval when set. */
    readonly schedule: string | null;
    readonly pageSize: number;
    /** Also hold a question at each peer between two pulls, so that changes arrive at once. */
    readonly live: boolean;
  };
  readonly network: {
    readonly connectTimeoutMs: number;
    readonly requestTimeoutMs: number;
    readonly reconnectIntervalMs: number;
    readonly maxRetries: number;
    readonly retryBackoffMs: number;
    readonly breakerFailures: number;
    readonly breakerCooldownMs: number;
    /** `auto`: pages are asked for compressed, but not from a peer on this machine. */
    readonly compression: 'auto' | 'always';
    readonly discovery: boolean;
    /** The IPv4 address of the only interface for discovery; null: all. */
    readonly discoveryInterface: string | null;
  };
  readonly clock: {
    readonly maxSkewMs: number;
    readonly abortSkewMs: number;
    /** What is done where NTP does not set the clock; `off`: it is not asked. */
    readonly requireNtp: 'warn' | 'fail' | 'off';
  };
  readonly security: {
    readonly apiKeyEnv: string;
    readonly minKeyLength: number;
    /** The keys found in that variable; the first is sent, all are accepted. Empty: no key. */
    readonly apiKeys: readonly string[];
    /** Null: plain HTTP, and the authorities of Node for peers at `https://`. */
    readonly tls: TlsConfig | null;
    /** Requests per second of one client. */
    readonly rateLimit: number;
    /** As many more are let through once. */
    readonly rateLimitBurst: number;
  };
  readonly retention: {
    /** Cron line with seconds: when to prune. */
    readonly schedule: string;
    /** Rows that were soft-deleted longer ago become ordinary deletes; null: never. */
    readonly softDeletedMs: number | null;
  };
  readonly backup: {
    /** Cron line with seconds; null: none is made by itself. */
    readonly schedule: string | null;
    /** Absolute. */
    readonly dir: string;
    /** How many of them stay. */
    readonly keep: number;
  };
  readonly tracing: {
    /** URL that spans are posted to; null: nothing is traced. */
    readonly otlpEndpoint: string | null;
  };
  readonly timestampColumnPatterns: readonly string[];
  readonly log: {
    readonly level: LogLevel;
    readonly format: 'text' | 'json';
    /** Absolute; null: no file. */
    readonly file: string | null;
    readonly maxSizeBytes: number;
    readonly maxFiles: number;
  };
}
