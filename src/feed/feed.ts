import { constants } from 'node:zlib';
import compression from 'compression';
import express, { type Express } from 'express';
import type { Logger } from '../log/logger.js';
import type { ReaderCalls, WriterCalls } from '../threads/calls.js';
import { requireAccess } from './access.js';
import { changesRoute } from './changes.js';
import type { Commits } from './commits.js';
import { controlRoutes } from './control.js';
import { errorAnswer, unknownRoute } from './error-answer.js';
import { fingerprintRoutes } from './fingerprint.js';
import { healthRoute } from './health.js';
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

/** What the feed needs of the replica that it serves. */
export interface FeedParts {
  /** Our node id. */
  readonly node: string;
  /** Version of this program. */
  readonly version: string;
  readonly apiKeys: readonly string[];
  /** `GET /health` proves that we know the keys to one who asks (discovery). */
  readonly provesKeys?: boolean;
  /** Names of the replicated tables. */
  readonly tables: readonly string[];
  readonly reader: Pick<
    ReaderCalls,
    'page' | 'conflicts' | 'identity' | 'tableShapes' | 'stretch' | 'list' | 'states'
  >;
  readonly writer: Pick<WriterCalls, 'acknowledge' | 'handOut' | 'rewound'>;
  readonly commits: Commits;
  readonly pulls: PullControl;
  readonly snapshots: Snapshots;
  /** A client that takes nothing for so long while a snapshot is sent is cut off, ms. */
  readonly silenceMs: number;
  readonly logger: Logger;
  /** Aborted when the replica stops: held requests are answered at once. */
  readonly signal: AbortSignal;
  /** Enters what the app has written in the versions, and rows that contradict theirs (log ids); logs its own failure. */
  fold(contradicted?: readonly number[]): Promise<unknown>;
  status(): Promise<object>;
  nodes(): Promise<object>;
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
  app.use(compression({ level: constants.Z_BEST_SPEED, brotli: BROTLI }));
  app.get('/health', healthRoute(parts));
  app.use(requireAccess(parts.apiKeys));
  app.get('/sync/changes', changesRoute(parts));
  app.get('/sync/snapshot', snapshotRoute(parts));
  app.use(fingerprintRoutes(parts));
  app.use(controlRoutes(parts));
  app.use(unknownRoute);
  app.use(errorAnswer(parts.logger));
  return app;
}
