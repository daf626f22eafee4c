import type { Config } from '../config/config.js';
import { SyncError } from '../errors.js';
import type { PageRequest, PageResponse } from '../threads/calls.js';
import type { OpenedDatabase } from './database.js';
import { formatHeader } from './format.js';
import { writeChangesFile } from './write-file.js';

/** Folds in a row that bring a page no further; then what is folded is all that is exported. */
const MAX_STANDSTILLS = 10;

export interface ExportOptions {
  /** The path of the file. */
  readonly out: string;
  /** Empty: from the start. */
  readonly since: string;
  readonly force: boolean;
  readonly signal: AbortSignal;
  /** Told after each page: changes so far, and entries that the log holds after it, at most. */
  readonly onProgress: (changes: number) => void;
}

export interface Exported {
  readonly pages: number;
  readonly changes: number;
  readonly bytes: number;
  readonly sha256: string;
  /** The cursor for the next export. */
  readonly nextCursor: string;
  /** False where a row was written again and again, so that its newest version comes with the next export. */
  readonly complete: boolean;
}

/**
 * Writes what this replica's log holds after a cursor into a file, as pages for nobody in particular: nothing is left out,
 * nothing acknowledged. Rejects with `since_invalid` where the cursor is not of this log, and as writing and reading do.
 */
export async function exportChanges(
  config: Config,
  database: OpenedDatabase,
  options: ExportOptions,
): Promise<Exported> {
  const { reader } = database;
  await database.writer.fold();
  const { node, epoch } = await reader.identity();
  // Before the first page: what the file shows to be known holds for all of its pages.
  const { member } = await reader.pullStart(node);
  const tables = config.tables.map(({ name }) => name);
  const header = formatHeader({
    ...{ node, epoch, born_ms: member.born_ms, since: options.since, created_ms: Date.now() },
    ...{ tables, claims: member.claims },
  });
  const total = { changes: 0, nextCursor: options.since, complete: true };
  async function* pages(first: PageResponse): AsyncGenerator<PageResponse> {
    for (let page = first; ; page = await pageAfter(database, page.nextCursor, config.sync.pageSize)) {
      total.changes += page.changes;
      total.nextCursor = page.nextCursor;
      total.complete = !page.waitsForFold;
      options.onProgress(total.changes);
      yield page;
      if (!page.hasMore) return;
    }
  }
  const first = await firstPage(database, options.since, config.sync.pageSize);
  const written = await writeChangesFile(options.out, header, pages(first), options);
  return { ...total, ...written };
}

async function firstPage(database: OpenedDatabase, since: string, limit: number): Promise<PageResponse> {
  try {
    return await pageAfter(database, since, limit);
  } catch (error) {
    if (!(error instanceof SyncError) || !['cursor_invalid', 'log_rewound'].includes(error.code)) throw error;
    throw new SyncError('since_invalid', `${since} is no cursor of this replica as it is now`, {
      hint: 'Export from the start, without --since: whatever the other has already costs it nothing but time.',
      cause: error,
    });
  }
}

/** The page after a cursor, folded as far as can be. */
async function pageAfter(
  { reader, writer }: OpenedDatabase,
  since: string,
  limit: number,
): Promise<PageResponse> {
  const nobody = { node: null, epoch: null, tables: null, member: null };
  const request: PageRequest = { since, limit, ...nobody };
  for (let standstills = 0; ; standstills += 1) {
    const page = await reader.page(request);
    if (page.changes > 0 || !page.waitsForFold || standstills === MAX_STANDSTILLS) return page;
    await writer.fold(page.contradicted);
  }
}
