import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { storedCursor } from '../apply/apply-page.js';
import { readStatus, type StoredStatus } from '../changelog/local-status.js';
import { buildPage } from '../changelog/page.js';
import type { Config } from '../config/config.js';
import { requireMigrated } from '../database/migrate.js';
import { openForReading } from '../database/open.js';
import type { PageRequest, PageResponse, ReaderCalls } from './calls.js';
import { ChangelogAtSchema } from './changelog-at.js';

/** The connection that reads beside the writer, and what its thread answers. */
export class Reader implements ReaderCalls {
  private readonly database: Database;
  private readonly changelogAt: ChangelogAtSchema;

  constructor(config: Config) {
    this.database = openForReading(config);
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
      const { node, epoch } = request;
      const query = {
        since: request.since,
        limit: request.limit,
        tables: request.tables,
        puller: node === null || epoch === null ? null : `${node}@${epoch}`,
        nowMs: Date.now(),
      };
      // One snapshot for the schema and the rows: a column that came in between would be missing from a record.
      const built = this.database.transaction(() => buildPage(this.changelogAt.current(), query))();
      const body = Buffer.from(built.json, 'utf8');
      const sha256 = createHash('sha256').update(body).digest('hex');
      return { body, sha256, changes: built.changes, hasMore: built.hasMore };
    });
  }

  status(): Promise<StoredStatus> {
    return answer(() => readStatus(this.changelogAt.current()));
  }

  cursorOf(peer: string): Promise<string> {
    return answer(() => storedCursor(this.changelogAt.current(), peer));
  }

  dataVersion(): Promise<number> {
    return answer(() => this.database.pragma('data_version', { simple: true }) as number);
  }

  close(): Promise<void> {
    return answer(() => {
      this.database.close();
    });
  }
}

/** Runs synchronous work as a call: what it throws rejects. */
async function answer<T>(work: () => T): Promise<T> {
  return Promise.resolve(work());
}
