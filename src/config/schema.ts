import { isIPv4 } from 'node:net';
import { validate as isCron } from 'node-cron';
import { z } from 'zod';
import { parseListen, parseOtlpEndpoint, parsePeerAddress } from './addresses.js';
import { parseDurationMs, parseSizeBytes } from './quantities.js';
import { NODE_ID } from '../wire/instance.js';

/**
 * The configuration file, key by key (docs/config.example.yaml says what each is for). Strict: an unknown key is
 * a fault. Messages say what was expected; what was found is added from the file's own text (faults.ts).
 */

// setTimeout takes at most 2^31 - 1 ms
const MAX_TIMER_MS = 24 * 24 * 60 * 60 * 1000;
const MIN_TIMER_MS = 10;
const MIN_AGE_MS = 60 * 60 * 1000;
const MAX_AGE_MS = 100 * 365 * 24 * 60 * 60 * 1000;
const MAX_KEY_COLUMNS = 8;
export const DEFAULT_TIMESTAMP_PATTERNS = [
  'updated_at',
  'modified_at',
  'update_time',
  'update_datetime',
  'last_modified',
  'modified_time',
];
export const NODE_ID_RULE = '1 to 64 letters, digits, . _ -';

function text(what: string) {
  return z
    .string(`expected ${what}`)
    .refine((value) => value !== '' && !value.includes('\0'), `expected ${what}`);
}

function nodeId() {
  return z
    .string(`expected a node id: ${NODE_ID_RULE}`)
    .regex(NODE_ID, `expected a node id: ${NODE_ID_RULE}`);
}

function integer(min: number, max: number) {
  const message = `expected a whole number from ${min} to ${max}`;
  return z.number(message).int(message).min(min, message).max(max, message);
}

function flag() {
  return z.boolean('expected true or false');
}

function choice<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, `expected one of ${values.join(', ')}`);
}

/** Text that `parse` turns into something else, and refuses with null. */
function parsed<T>(expected: string, parse: (value: string) => T | null) {
  return z.string(`expected ${expected}`).transform((value, context) => {
    const result = parse(value);
    if (result !== null) return result;
    context.addIssue({ code: 'custom', message: `expected ${expected}` });
    return z.NEVER;
  });
}

function duration(minMs = MIN_TIMER_MS) {
  return parsed(`a duration from ${minMs}ms to 24d, such as 500ms, 30s, 5m or 1h`, (value) => {
    const durationMs = parseDurationMs(value);
    return durationMs === null || durationMs < minMs || durationMs > MAX_TIMER_MS ? null : durationMs;
  });
}

/** A span of time that no timer waits for. */
function age() {
  return parsed('an age from 1h to 36500d, such as 90d', (value) => {
    const ageMs = parseDurationMs(value);
    return ageMs === null || ageMs < MIN_AGE_MS || ageMs > MAX_AGE_MS ? null : ageMs;
  });
}

function size() {
  return parsed('a size such as 50MB', parseSizeBytes);
}

function cron() {
  return parsed('a cron line of six fields (seconds first) such as "0 0 2 * * *"', (value) =>
    value.trim().split(/\s+/).length === 6 && isCron(value) ? value : null,
  );
}

/** A mapping; one with nothing in it reads as null in YAML, and means the defaults. */
function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.preprocess((value) => value ?? {}, z.strictObject(shape, { error: mappingMessage }));
}

function mappingMessage(issue: z.core.$ZodRawIssue): string | undefined {
  return issue.code === 'invalid_type' ? 'expected a mapping of keys to values' : undefined;
}

function list<Item extends z.ZodType>(item: Item) {
  return z.preprocess((value) => value ?? [], z.array(item, 'expected a list'));
}

function columnName() {
  return text('a column name');
}

const STRATEGIES = ['latest_wins', 'source_wins', 'manual', 'custom'] as const;

const tableSchema = z.strictObject(
  {
    name: text('a table name'),
    primary_key: z
      .preprocess(
        (value) => (typeof value === 'string' ? [value] : value),
        z
          .array(columnName(), 'expected a column name or a list of them')
          .min(1, 'expected at least one column')
          .max(MAX_KEY_COLUMNS, `expected at most ${MAX_KEY_COLUMNS} columns`)
          .nullable(),
      )
      .default(null),
    timestamp_column: columnName().nullable().default(null),
    timestamp_format: choice(['auto', 'unix_ms', 'unix_s', 'iso8601', 'julian']).default('auto'),
    soft_delete_column: columnName().nullable().default(null),
    conflict_resolution: choice(STRATEGIES).nullable().default(null),
    preferred_node: nodeId().nullable().default(null),
    resolver: text('the path of a module').nullable().default(null),
    exclude_columns: list(columnName()),
    allow_integer_key: flag().default(false),
  },
  { error: mappingMessage },
);

const peerSchema = z.strictObject(
  {
    name: nodeId(),
    address: parsed('http://host:port, https://host:port or host:port', parsePeerAddress)
      .nullable()
      .default(null),
    direction: choice(['pull', 'both']).default('pull'),
  },
  { error: mappingMessage },
);

const tlsSchema = z.strictObject(
  {
    cert: text('the path of a certificate').nullable().default(null),
    key: text('the path of a private key').nullable().default(null),
    ca: text('the path of a certificate').nullable().default(null),
    require_client_cert: flag().default(false),
  },
  { error: mappingMessage },
);

export const configSchema = z.strictObject(
  {
    node: section({
      id: nodeId(),
      name: text('a name').nullable().default(null),
      listen: parsed('host:port or [IPv6]:port', parseListen).default({ host: '127.0.0.1', port: 8091 }),
    }),
    database: section({
      path: text('the path of a database file'),
      wal: flag().default(true),
      synchronous: choice(['off', 'normal', 'full', 'extra']).default('normal'),
      busy_timeout: duration(0).default(5000),
      wal_autocheckpoint: integer(0, 1_000_000).default(1000),
      checkpoint_interval: duration().default(300_000),
      wal_restart_above: size().default(50 * 1024 ** 2),
      wal_warn_above: size().default(100 * 1024 ** 2),
      low_disk: size().default(100 * 1024 ** 2),
      maintenance: cron().default('0 0 2 * * *'),
    }),
    tables: list(tableSchema),
    peers: list(peerSchema),
    sync: section({
      interval: duration().default(30_000),
      schedule: cron().nullable().default(null),
      live: flag().default(true),
      page_size: integer(1, 10_000).default(1000),
      conflict_resolution: choice(STRATEGIES).default('latest_wins'),
      preferred_node: nodeId().nullable().default(null),
      resolver: text('the path of a module').nullable().default(null),
    }),
    network: section({
      connect_timeout: duration().default(2000),
      request_timeout: duration().default(30_000),
      reconnect_interval: duration().default(30_000),
      max_retries: integer(0, 100).default(3),
      retry_backoff: duration().default(1000),
      breaker_failures: integer(1, 1000).default(5),
      breaker_cooldown: duration().default(30_000),
      compression: choice(['auto', 'always']).default('auto'),
      discovery: flag().default(false),
      discovery_interface: parsed('an IPv4 address of this machine, such as 192.168.1.10', (value) =>
        isIPv4(value) ? value : null,
      )
        .nullable()
        .default(null),
    }),
    clock: section({
      max_skew: duration().default(5000),
      abort_skew: duration().default(60_000),
      require_ntp: choice(['warn', 'fail', 'off']).default('warn'),
    }),
    security: section({
      api_key_env: z
        .string('expected the name of an environment variable')
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable, not the key itself')
        .default('SYNC_API_KEY'),
      min_key_length: integer(16, 1024).default(32),
      tls: tlsSchema.nullable().default(null),
      rate_limit: integer(1, 1_000_000).default(100),
      rate_limit_burst: integer(0, 1_000_000).default(10),
    }),
    retention: section({
      schedule: cron().default('0 0 3 * * *'),
      soft_deleted: age().nullable().default(null),
    }),
    backup: section({
      schedule: cron().nullable().default(null),
      dir: text('the path of a folder').default('./backups'),
      keep: integer(1, 10_000).default(7),
    }),
    tracing: section({
      otlp_endpoint: parsed('http://host:port or https://host:port of a collector', parseOtlpEndpoint)
        .nullable()
        .default(null),
    }),
    timestamp_column_patterns: z
      .array(text('a column name'), 'expected a list of column names')
      .default(DEFAULT_TIMESTAMP_PATTERNS),
    log: section({
      level: choice(['error', 'warn', 'info', 'debug']).default('info'),
      format: choice(['text', 'json']).default('text'),
      file: text('the path of a file').nullable().default(null),
      max_size: size().default(10 * 1024 ** 2),
      max_files: integer(1, 1000).default(5),
    }),
  },
  { error: mappingMessage },
);

/** The file's content after validation: defaults filled in, durations in ms, sizes in bytes. */
export type ConfigFile = z.output<typeof configSchema>;
