import { NO_LATENCIES } from '#src/apply/latency.js';
import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { SyncError } from '#src/errors.js';
import type { OpenedThreads } from '#src/replica/replica.js';
import type {
  ApplyRequest,
  ApplyResponse,
  LocalStatus,
  PageRequest,
  PageResponse,
} from '#src/threads/calls.js';
import type { WireChange } from '#src/wire/change.js';
import type { WirePage } from '#src/wire/page.js';
import { formatCursor, parseCursor } from '#src/wire/cursor.js';
import { unheard } from '#src/wire/members.js';

interface Entry {
  readonly seq: number;
  readonly key: string;
}

const NO_SUM = '0'.repeat(16);

/**
 * The smallest thing that answers like the database threads: a log of keys in memory. What the app writes is in
 * the log at once; `fold` counts how often it was asked, and hangs while `lock` is held.
 */
export class MemoryDatabase {
  readonly log: Entry[] = [];
  readonly cursors = new Map<string, string>();
  readonly acknowledged: string[] = [];
  readonly handedOut: string[] = [];
  readonly applied: ApplyRequest[] = [];
  /**
   * Emits `apply` when a page is handed in, and `fold` with what the fold was given, before the lock is awaited; `page`
   * when a page was read; `insert` when the log has grown.
   */
  readonly events = new EventEmitter();
  folds = 0;
  readonly #entriesToFold: number[] = [];
  resets = 0;
  dataVersion = 1;
  closed = false;
  /** Thrown by the next calls of this name, until deleted. */
  readonly failures = new Map<string, Error>();
  #lock: Promise<void> = Promise.resolve();

  constructor(
    readonly node: string,
    readonly epoch = 'e0',
  ) {}

  insert(...keys: string[]): void {
    for (const key of keys) this.log.push({ seq: this.log.length + 1, key });
    this.dataVersion += 1;
    this.events.emit('insert');
  }

  /** Holds the write lock until the returned function is called. */
  lock(): () => void {
    let release: () => void = () => undefined;
    this.#lock = new Promise((resolve) => (release = resolve));
    return release;
  }

  get keys(): string[] {
    return this.log.map(({ key }) => key);
  }

  get threads(): OpenedThreads {
    return { reader: this.reader, writer: this.writer, ended: this.ended };
  }

  /** May refuse a page. */
  onApply: (request: ApplyRequest) => void = () => undefined;

  /** Call it to let a thread end. */
  endThread: () => void = () => undefined;
  readonly ended = new Promise<void>((resolve) => (this.endThread = resolve));

  readonly reader: OpenedThreads['reader'] = {
    page: (request) =>
      this.#run('page', () => {
        const page = this.#page(request);
        this.events.emit('page');
        return page;
      }),
    news: (request) =>
      this.#run('news', () => {
        const news = this.hasNews(request.since);
        return { news, seen: this.log.length, page: news && request.own ? this.#page(request) : null };
      }),
    status: () => this.#run('status', () => this.#status()),
    identity: () => this.#run('identity', () => ({ node: this.node, epoch: this.epoch })),
    conflicts: () => this.#run('conflicts', () => ({ conflicts: [], total: 0 })),
    held: () => this.#run('held', () => ({ quarantine: [], total: 0 })),
    changelogTail: () => this.#run('changelogTail', () => ({ entries: [] })),
    tables: () => this.#run('tables', () => []),
    danglingReferences: () => this.#run('danglingReferences', () => []),
    pullStart: (peer) =>
      this.#run('pullStart', () => {
        const cursor = this.cursors.get(peer) ?? '';
        const member = unheard(this.node, this.epoch);
        return { cursor, full: cursor === '', witness: null, member, known: null, heard: null, pruned: 0 };
      }),
    tableShapes: () => this.#run('tableShapes', () => []),
    stretch: () => this.#run('stretch', () => ({ rows: 0, content: NO_SUM, versions: NO_SUM, last: null })),
    list: () => this.#run('list', () => []),
    states: () => this.#run('states', () => []),
    dataVersion: () => this.#run('dataVersion', () => this.dataVersion),
    close: () => Promise.resolve(),
  };

  /** So many entries are found by the next folds. */
  toFold(...entries: readonly number[]): void {
    this.#entriesToFold.push(...entries);
  }

  readonly writer: OpenedThreads['writer'] = {
    fold: async (contradicted = []) => {
      this.folds += 1;
      this.events.emit('fold', contradicted);
      await this.#lock;
      return this.#run('fold', () => ({
        entries: this.#entriesToFold.shift() ?? 0,
        versions: 0,
        keyless: [],
        schema: null,
        renewal: null,
        tally: { entries: 0, versions: 0 },
      }));
    },
    apply: async (request) => {
      this.events.emit('apply');
      await this.#lock;
      return this.#run('apply', () => {
        this.onApply(request);
        return this.#apply(request);
      });
    },
    resetCursor: (peer) =>
      this.#run('resetCursor', () => {
        this.resets += 1;
        this.cursors.delete(peer);
      }),
    putBackCursor: (peer, _from, to) =>
      this.#run('putBackCursor', () => {
        this.cursors.set(peer, to);
      }),
    rewound: () => this.#run('rewound', () => false),
    acknowledge: (node, epoch, cursor) =>
      this.#run('acknowledge', () => {
        this.acknowledged.push(`${node} ${epoch ?? ''} ${cursor}`);
      }),
    handOut: (node, since, next) =>
      this.#run('handOut', () => {
        this.handedOut.push(`${node} ${since} ${next}`);
      }),
    checkpoint: (mode) =>
      this.#run(mode, () => ({ busy: false, walPages: 0, checkpointedPages: 0, walBytes: 0 })),
    retryDue: () => this.#run('retryDue', () => 0),
    resolve: (id) =>
      this.#run('resolve', () => {
        throw new SyncError('conflict_unknown', `there is no conflict ${id}`);
      }),
    retry: (id) =>
      this.#run('retry', () => {
        throw new SyncError('held_unknown', `there is no change ${id} in quarantine`);
      }),
    prune: () =>
      this.#run('prune', () => ({
        expired: 0,
        refused: 0,
        pruned: 0,
        bound: { head: 0, upTo: 0, standings: [] },
      })),
    optimize: () => this.#run('optimize', () => undefined),
    close: async () => {
      await this.#lock;
      this.closed = true;
    },
  };

  cursorAt(seq: number): string {
    return formatCursor({ epoch: this.epoch, logId: seq, mark: 'ab' });
  }

  /** Whether there is an entry after the cursor, or the cursor is not of this log. */
  hasNews(since: string): boolean {
    const cursor = since === '' ? { epoch: this.epoch, logId: 0 } : parseCursor(since);
    return cursor?.epoch !== this.epoch || this.log.length > cursor.logId;
  }

  #run<T>(name: string, work: () => T): Promise<T> {
    const failure = this.failures.get(name);
    return failure === undefined ? Promise.resolve().then(work) : Promise.reject(failure);
  }

  #page({ since, limit }: PageRequest): PageResponse {
    const cursor = since === '' ? { epoch: this.epoch, logId: 0 } : parseCursor(since);
    if (cursor?.epoch !== this.epoch) throw new SyncError('cursor_invalid', 'the cursor is not of this log');
    const left = this.log.filter(({ seq }) => seq > cursor.logId);
    const sent = left.slice(0, limit);
    const changes = sent.map(({ seq, key }): WireChange => ({
      seq,
      table: 'words',
      operation: 'upsert',
      key: [key],
      stamp: seq,
      origin: `${this.node}@${this.epoch}`,
      fingerprint: '0123456789abcdef',
      record: { id: key },
    }));
    return answerOf({
      protocol: 1,
      node: this.node,
      epoch: this.epoch,
      server_time_ms: Date.now(),
      changes,
      next_cursor: this.cursorAt(sent.at(-1)?.seq ?? cursor.logId),
      has_more: left.length > sent.length,
      behind: left.length - sent.length,
    });
  }

  #apply(request: ApplyRequest): ApplyResponse {
    this.applied.push(request);
    if ((this.cursors.get(request.peer) ?? '') !== request.since) {
      throw new SyncError('cursor_moved', 'the cursor has moved');
    }
    const page = JSON.parse(Buffer.from(request.body).toString('utf8')) as {
      changes: { key: [string] }[];
      next_cursor: string;
      has_more: boolean;
      behind: number;
      server_time_ms: number;
    };
    const known = new Set(this.keys);
    const fresh = page.changes.map(({ key }) => key[0]).filter((key) => !known.has(key));
    if (fresh.length > 0) this.insert(...fresh);
    this.cursors.set(request.peer, page.next_cursor);
    return {
      pages: 1,
      received: page.changes.length,
      named: 0,
      applied: fresh.length,
      skipped: page.changes.length - fresh.length,
      conflicts: 0,
      quarantined: 0,
      oversized: [],
      resolverFaults: [],
      nextCursor: page.next_cursor,
      hasMore: page.has_more,
      behind: page.behind,
      serverTimeMs: page.server_time_ms,
      latencies: NO_LATENCIES,
      tally: { entries: 0, versions: 0 },
    };
  }

  #status(): LocalStatus {
    return {
      node: this.node,
      epoch: this.epoch,
      head: this.log.length,
      unfolded: 0,
      quarantined: 0,
      conflicts: 0,
      backfillNeeded: [],
      databaseBytes: 4096,
      walBytes: 0,
      prune: { head: this.log.length, upTo: 0, standings: [] },
      peers: [...this.cursors].map(([name, cursor]) => ({
        name,
        epoch: null,
        cursor,
        behind: 0,
        lastAppliedMs: null,
        acknowledged: null,
        acknowledgedMs: null,
      })),
    };
  }
}

/** A page as the reader answers it. */
export function answerOf(page: WirePage): PageResponse {
  const body = Buffer.from(JSON.stringify(page));
  const sha256 = createHash('sha256').update(body).digest('hex');
  return {
    body,
    sha256,
    changes: page.changes.length,
    hasMore: page.has_more,
    nextCursor: page.next_cursor,
    waitsForFold: false,
    folded: 0,
    contradicted: [],
  };
}
