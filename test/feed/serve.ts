import { createFeed, type FeedParts } from '#src/feed/feed.js';
import type { OfferDesk } from '#src/feed/offers.js';
import { listen, type Listening, type ListenOptions } from '#src/feed/listen.js';
import { noRefusals } from '#src/feed/refusals.js';
import { routesOf, type Route } from './routes-of.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';
import { MemoryDatabase } from '../stand-ins/memory-database.js';

/** Commits that a test announces. */
export class AnnouncedCommits {
  version = 0;
  readonly #waiting = new Set<() => void>();
  readonly #watchers: (() => void)[] = [];

  announce(): void {
    this.version += 1;
    for (const goOn of this.#waiting) goOn();
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Resolves when this many requests are held. */
  async held(count: number): Promise<void> {
    while (this.#waiting.size !== count) {
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  async after(version: number, signal: AbortSignal): Promise<void> {
    if (this.version > version || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#waiting.add(resolve);
      this.#changed();
      const end = () => {
        this.#waiting.delete(resolve);
        this.#changed();
        resolve();
      };
      signal.addEventListener('abort', end);
    });
  }

  #changed(): void {
    for (const tell of this.#watchers.splice(0)) tell();
  }
}

/** Takes what macbook and phone offer, and tells nobody. */
export const DESK: OfferDesk = {
  peers: ['macbook', 'phone'],
  pageSize: 1000,
  admit: () => Promise.resolve(),
  acceptSkew: () => undefined,
  skewsMs: () => ({}),
  took: () => undefined,
  refused: () => undefined,
};

/** A feed on a port of its own in front of a database in memory. */
export interface ServedFeed {
  readonly url: string;
  /** Every route that the feed has. */
  readonly routes: readonly Route[];
  readonly listening: Listening;
  readonly database: MemoryDatabase;
  readonly commits: AnnouncedCommits;
  readonly log: LogRecorder;
  readonly triggered: string[];
  /** What the replica does when it stops. */
  stop(): void;
  close(): Promise<void>;
}

export async function serveFeed(
  parts: Partial<FeedParts> = {},
  options: ListenOptions = {},
): Promise<ServedFeed> {
  const database = new MemoryDatabase('desktop');
  const commits = new AnnouncedCommits();
  const log = new LogRecorder();
  const end = new AbortController();
  const triggered: string[] = [];
  const feed = createFeed({
    node: 'desktop',
    version: '1.2.3',
    apiKeys: [],
    requireClientCert: false,
    rateLimit: null,
    refusals: noRefusals(),
    tables: ['words'],
    reader: database.reader,
    writer: database.writer,
    commits,
    pulls: {
      trigger(peer, full) {
        if (peer !== 'macbook') return null;
        triggered.push(full ? `${peer} from the start` : peer);
        return peer;
      },
      triggerAll: () => ['macbook', 'server'],
      reload: () => [],
    },
    offers: DESK,
    snapshots: {
      hold: () => Promise.reject(new TypeError('Expected no snapshot to be asked for')),
    },
    backups: {
      make: () => Promise.reject(new TypeError('Expected no backup to be asked for')),
    },
    silenceMs: 30_000,
    logger: log.logger,
    signal: end.signal,
    fold: () => database.writer.fold(),
    folded: () => Promise.resolve(),
    status: () => Promise.resolve({ node: 'desktop' }),
    activity: () => ({ now_s: 1704326400, seconds: [] }),
    metrics: () => Promise.resolve({ contentType: 'text/plain', body: '' }),
    nodes: () => Promise.resolve({ nodes: [] }),
    now: () => 1704326400000,
    ...parts,
  });
  const listening: Listening = await listen(feed, '127.0.0.1', 0, options);
  return {
    url: `${options.tls == null ? 'http' : 'https'}://127.0.0.1:${listening.port}`,
    routes: routesOf(feed),
    listening,
    database,
    commits,
    log,
    triggered,
    stop: () => {
      end.abort();
    },
    close: () => {
      end.abort();
      return listening.close(0);
    },
  };
}
