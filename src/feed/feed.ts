import { constants } from 'node:zlib';
import compression from 'compression';
import express, { type Express } from 'express';
import type { Logger } from '../log/logger.js';
import type { ReaderCalls, WriterCalls } from '../threads/calls.js';
import type { Tracer } from '../tracing/tracer.js';
import { judgeBy, requireAccess, requireClientCertificate } from './access.js';
import { changesRoute } from './changes.js';
import type { Commits } from './commits.js';
import { controlRoutes } from './control.js';
import { dashboardFiles } from '../dashboard/files.js';
import { decisionRoutes } from './decisions.js';
import { errorAnswer, unknownRoute } from './error-answer.js';
import { fingerprintRoutes } from './fingerprint.js';
import { securityHeaders } from './headers.js';
import { meterRequests, metricsRoute, type FeedMeter, type MetricsText } from './meter.js';
import { healthRoute } from './health.js';
import { insightRoutes } from './insight.js';
import { offerRoute, type OfferDesk } from './offers.js';
import { requireWithin } from './request-deadline.js';
import { limitRate, type RateLimit } from './rate-limit.js';
import { createRefusals, type RefusalCounts } from './refusals.js';
import { snapshotRoute } from './snapshot.js';
import type { Snapshots } from './snapshots.js';

/** What the control routes ask of the pulls. A peer is named by its name or its address. */
export interface PullControl {
  /** Asks for a pull at once, with `full` from the start; the peer's name, or null where there is none such. */
  trigger(peer: string, full: boolean): string | null;
  /** Asks for a pull from each peer; their names. */
  triggerAll(): readonly string[];
  /** Reads the peers of the configuration file again, and pulls from those that are new; their names. */
  reload(): readonly string[];
}

/** A backup that a person asked for. */
export interface BackupControl {
  /** Begins one in the configured folder, unless one is being made; resolves when it is there and was found sound. */
  make(): Promise<{ readonly file: string; readonly bytes: number }>;
}

/** What the feed needs of the replica that it serves. */
export interface FeedParts {
  /** Our node id. */
  readonly node: string;
  /** Version of this program. */
  readonly version: string;
  readonly apiKeys: readonly string[];
  /** Only who shows a certificate of the server's authority is served. */
  readonly requireClientCert: boolean;
  /** Null: none. */
  readonly rateLimit: RateLimit | null;
  /** Counted up. */
  readonly refusals: RefusalCounts;
  /** `GET /health` proves that we know the keys to one who asks (discovery). */
  readonly provesKeys?: boolean;
  /** Names of the replicated tables. */
  readonly tables: readonly string[];
  readonly reader: Pick<
    ReaderCalls,
    | 'page'
    | 'news'
    | 'conflicts'
    | 'identity'
    | 'tableShapes'
    | 'stretch'
    | 'list'
    | 'states'
    | 'pullStart'
    | 'held'
    | 'changelogTail'
    | 'tables'
  >;
  readonly writer: Pick<
    WriterCalls,
    'acknowledge' | 'handOut' | 'rewound' | 'apply' | 'resetCursor' | 'resolve' | 'retry'
  >;
  readonly commits: Commits;
  readonly pulls: PullControl;
  readonly offers: OfferDesk;
  readonly snapshots: Snapshots;
  readonly backups: BackupControl;
  /** A client that takes nothing for so long while a snapshot is sent is cut off, ms. */
  readonly silenceMs: number;
  /** A request that is no page must be complete within this; default: 30 s. */
  readonly requestTimeoutMs?: number;
  readonly logger: Logger;
  /** Aborted when the replica stops: held requests are answered at once. */
  readonly signal: AbortSignal;
  /** Enters what the app has written in the versions, and rows that contradict theirs (log ids); logs its own failure. */
  fold(contradicted?: readonly number[]): Promise<unknown>;
  /** Resolves when the newest commit that `commits` told of is folded, or could not be. */
  folded(): Promise<unknown>;
  status(): Promise<object>;
  nodes(): Promise<object>;
  /** What happened in the seconds after that one, in seconds since 1970. */
  activity(afterS: number): object;
  /** What Prometheus is told. */
  metrics(): Promise<MetricsText>;
  /** Told of what is answered and served; default: nobody is. */
  readonly meter?: FeedMeter;
  /** Default: nothing is traced. */
  readonly tracer?: Tracer;
  /** ms since 1970. */
  now(): number;
}

/**
 * Pages are made once and read once. Gzip's fastest level takes most of the redundancy at a fifth of the time; brotli at
 * this quality makes them a tenth smaller than gzip at its best, in the time that gzip takes by default.
 */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };

/** The HTTP server's routes (docs/protocol.md). Serves nothing by itself: see `listen`. */
export function createFeed(parts: FeedParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  if (parts.meter !== undefined) app.use(meterRequests(parts.meter));
  app.use(requireWithin(parts.requestTimeoutMs));
  const judge = judgeBy(parts.apiKeys);
  const refusals = createRefusals({ ...parts, counts: parts.refusals });
  app.use(securityHeaders());
  if (parts.requireClientCert) app.use(requireClientCertificate(refusals));
  if (parts.rateLimit !== null) app.use(limitRate(parts.rateLimit, judge, parts.refusals, parts.signal));
  app.use(compression({ level: constants.Z_BEST_SPEED, brotli: BROTLI }));
  app.get('/health', healthRoute(parts));
  app.use(dashboardFiles({ needsKey: parts.apiKeys.length > 0 }));
  app.use(requireAccess(judge, refusals));
  app.get('/sync/changes', changesRoute(parts));
  app.post('/sync/changes', offerRoute(parts));
  app.get('/sync/snapshot', snapshotRoute(parts));
  app.get(
    '/metrics',
    metricsRoute(() => parts.metrics()),
  );
  app.use(fingerprintRoutes(parts));
  app.use(controlRoutes(parts));
  app.use(insightRoutes(parts));
  app.use(decisionRoutes(parts));
  app.use(unknownRoute);
  app.use(errorAnswer(parts.logger));
  return app;
}
