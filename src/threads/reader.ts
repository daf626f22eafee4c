import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { pullStart, type PullStart } from '../apply/pull-start.js';
import { listConflicts, type ConflictList } from '../apply/conflict-list.js';
import { listHeld, type HeldList } from '../apply/held-list.js';
import { readReplica } from '../changelog/changelog.js';
import { readStatus, type StoredStatus } from '../changelog/local-status.js';
import type { DanglingReference } from '../changelog/dangling.js';
import { lookForNews } from '../changelog/news.js';
import { buildPage, type BuiltPage, type PageQuery } from '../changelog/page.js';
import { readTail, type ChangelogTail } from '../changelog/tail.js';
import type { Config } from '../config/config.js';
import type { Instance } from '../wire/instance.js';
import { fileIdOf } from '../database/file-id.js';
import { requireMigrated } from '../database/migrate.js';
import { openForReading } from '../database/open.js';
import { SyncError } from '../errors.js';
import type { TableShape, WireListed, WireState } from '../wire/fingerprints.js';
import { MAX_PAGE_BYTES } from '../wire/page.js';
import type {
  NewsRequest,
  NewsResponse,
  PageRequest,
  PageResponse,
  ReaderCalls,
  StatesRequest,
  StretchRequest,
  StretchResponse,
} from './calls.js';
import { ChangelogAtSchema } from '../changelog/changelog-at.js';
import { listOf, shapesOf, statesOf, stretchOf } from './fingerprints.js';
import { ReferenceWatch } from './reference-watch.js';
import { TableWatch, type TableReport } from './table-watch.js';

/** The connection that reads beside the writer, and what its thread answers. */
export class Reader implements ReaderCalls {
  private readonly database: Database;
  private readonly changelogAt: ChangelogAtSchema;
  private readonly fileId: string;
  private readonly references: ReferenceWatch;
  private readonly tableWatch: TableWatch;

  constructor(private readonly config: Config) {
    this.database = openForReading(config);
    this.fileId = fileIdOf(this.database.name);
    this.references = new ReferenceWatch(this.database);
    this.tableWatch = new TableWatch(this.database);
    this.changelogAt = new ChangelogAtSchema(this.database, config);
  }

  open(): Promise<void> {
    return answer(() => {
      requireMigrated(this.database);
      this.changelogAt.current();
    });
  }

  page(request: PageRequest): Promise<PageResponse> {
    return answer(() => {
      const query = queryOf(request);
      // One snapshot for the schema and the rows: a column that came in between would be missing from a record.
      return hashed(this.database.transaction(() => buildPage(this.changelogAt.current(), query))());
    });
  }

  news(request: NewsRequest): Promise<NewsResponse> {
    return answer(() => {
      const query = queryOf(request);
      const look = () => lookForNews(this.changelogAt.current(), query, request.seen, request.own);
      const { page, ...looked } = this.database.transaction(look)();
      return { ...looked, page: page === null ? null : hashed(page) };
    });
  }

  status(): Promise<StoredStatus> {
    return answer(() =>
      readStatus(
        this.changelogAt.current(),
        this.config.peers.map(({ name }) => name),
      ),
    );
  }

  identity(): Promise<Instance> {
    return answer(() => {
      this.requireSameFile();
      const { node, epoch } = readReplica(this.database);
      return { node, epoch };
    });
  }

  conflicts(limit?: number): Promise<ConflictList> {
    return answer(() => listConflicts(this.database, { all: false, limit, maxBytes: MAX_PAGE_BYTES }));
  }

  held(limit: number): Promise<HeldList> {
    return answer(() => listHeld(this.database, { limit, maxBytes: MAX_PAGE_BYTES }));
  }

  changelogTail(limit: number): Promise<ChangelogTail> {
    return answer(() => readTail(this.changelogAt.current(), limit));
  }

  tables(): Promise<readonly TableReport[]> {
    return answer(() => {
      const read = () => this.tableWatch.current(this.changelogAt.current());
      return this.database.transaction(read)();
    });
  }

  danglingReferences(): Promise<readonly DanglingReference[]> {
    return answer(() => this.references.current(this.changelogAt.current()));
  }

  tableShapes(): Promise<readonly TableShape[]> {
    return answer(() => shapesOf(this.changelogAt.current()));
  }

  stretch(request: StretchRequest): Promise<StretchResponse> {
    return answer(() => stretchOf(this.changelogAt.current(), request));
  }

  list(request: StretchRequest): Promise<readonly WireListed[]> {
    return answer(() => listOf(this.changelogAt.current(), request));
  }

  states(request: StatesRequest): Promise<readonly WireState[]> {
    return answer(() => statesOf(this.changelogAt.current(), request));
  }

  pullStart(peer: string): Promise<PullStart> {
    return answer(() => pullStart(this.changelogAt.current(), peer));
  }

  dataVersion(): Promise<number> {
    return answer(() => {
      this.requireSameFile();
      return this.database.pragma('data_version', { simple: true }) as number;
    });
  }

  /** Another file at that path is what the application writes to now; this connection still has the old one. */
  private requireSameFile(): void {
    const now = fileIdOf(this.database.name);
    if (now === this.fileId) return;
    throw new SyncError(
      'database_replaced',
      `The database file ${this.database.name} was moved away or replaced.`,
      {
        hint: 'Stop the replica, see that the right file is in place, and start it again.',
      },
    );
  }

  close(): Promise<void> {
    return answer(() => {
      this.database.close();
    });
  }
}

function hashed(built: BuiltPage): PageResponse {
  return { sha256: createHash('sha256').update(built.body).digest('hex'), ...built };
}

function queryOf(request: PageRequest): PageQuery {
  const { node, epoch } = request;
  return {
    since: request.since,
    limit: request.limit,
    tables: request.tables,
    puller: node === null || epoch === null ? null : `${node}@${epoch}`,
    nowMs: Date.now(),
    known: request.known ?? null,
    member: request.member ?? null,
    full: request.full ?? false,
    whole: request.whole ?? false,
    witness: request.witness ?? null,
    heard: request.heard ?? null,
  };
}

/** Runs synchronous work as a call: what it throws rejects. */
async function answer<T>(work: () => T): Promise<T> {
  return Promise.resolve(work());
}
