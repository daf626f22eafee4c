import type { Request, RequestHandler, Response } from 'express';
import { TRACEPARENT_HEADER } from '../tracing/trace-parent.js';
import { UNTRACED } from '../tracing/tracer.js';
import { cursorInvalid } from '../changelog/marks.js';
import { SyncError } from '../errors.js';
import type { PageResponse } from '../threads/calls.js';
import { NEXT_CURSOR_HEADER, PAGE_HASH_HEADER, SERVER_TIME_HEADER, type NewsBody } from '../wire/http.js';
import { acknowledger, handingOut } from './acknowledgements.js';
import { parseChangesQuery, type ChangesQuery } from './changes-query.js';
import type { FeedParts } from './feed.js';
import { requireIntact } from './intact.js';
import { ownersCheck } from './owners.js';
import { newsUntil } from './news.js';
import { MAX_FOLD_WAIT_MS, settledWithin } from './settled-within.js';

/** How often it is looked meanwhile whether enough is folded for a whole page. */
const LOOK_INTERVAL_MS = 40;

/** `GET /sync/changes`: a page of what changed after the cursor, or with `peek` whether there is one, and maybe that. */
export function changesRoute(parts: FeedParts): RequestHandler {
  const acknowledge = acknowledger(parts);
  const handOut = handingOut(parts);
  const requireOneOwner = ownersCheck(parts.logger);
  const { tracer = UNTRACED } = parts;
  const held = new Set<AbortController>();
  parts.signal.addEventListener('abort', () => {
    for (const controller of held) controller.abort();
  });
  const answer: RequestHandler = async (request, response) => {
    requireIntact(request);
    const query = parseChangesQuery(request.query, parts.tables);
    refuseOwnNode(query, parts.node);
    if (!query.peek) requireOneOwner(query);
    const end = new AbortController();
    const abort = () => {
      end.abort();
    };
    const timer = setTimeout(abort, query.waitMs);
    response.once('close', abort);
    held.add(end);
    // One that comes while the replica stops is not held any more.
    if (parts.signal.aborted) abort();
    try {
      const found = query.peek
        ? await newsUntil(parts, query, end.signal)
        : await pageUntil(parts, query, end.signal, acknowledge);
      // A server that closes waits for its open connections.
      if (parts.signal.aborted) response.set('connection', 'close');
      if (response.destroyed) return;
      if (typeof found === 'boolean') sendNews(response, found);
      else if (query.peek) await give(request, response, query, found);
      else serve(response, query, found);
    } finally {
      clearTimeout(timer);
      held.delete(end);
    }
  };

  function serve(response: Response, query: ChangesQuery, page: PageResponse): void {
    tracer.annotate({
      'sync.peer': query.node ?? '',
      'sync.page_size': query.limit,
      'sync.changes': page.changes,
      'sync.page_bytes': page.body.byteLength,
    });
    response.once('finish', () => parts.meter?.served(page.changes));
    send(response, page, parts.now());
    handOut(query, page.nextCursor);
  }

  /** The page as the answer to a question. A puller that is refused hears why when it pulls. */
  async function give(request: Request, response: Response, query: ChangesQuery, page: PageResponse) {
    if (isRefused(query)) {
      sendNews(response, true);
      return;
    }
    await inSpan(request, () => {
      serve(response, query, page);
    });
    acknowledge(query);
  }

  function isRefused(query: ChangesQuery): boolean {
    try {
      requireOneOwner(query);
      return false;
    } catch (error) {
      if (error instanceof SyncError) return true;
      throw error;
    }
  }

  function inSpan(request: Request, work: () => unknown): Promise<void> {
    const parent = request.get(TRACEPARENT_HEADER);
    return tracer.span('serve page', { kind: 'server', parent }, async () => {
      await work();
    });
  }

  return (request, response, next) => {
    // A question that is held for half a minute is no work.
    if (request.query.peek === '1') return answer(request, response, next);
    return inSpan(request, () => answer(request, response, next));
  };
}

/** What reading pages needs, whoever carries them. */
export type PageParts = Pick<FeedParts, 'node' | 'reader' | 'writer' | 'fold' | 'logger' | 'signal'>;

/**
 * Makes the function that reads a page for a puller, without waiting for one, and notes what the puller has and is
 * given. Rejects as `GET /sync/changes` answers.
 */
export function pageSource(parts: PageParts): (query: ChangesQuery) => Promise<PageResponse> {
  const acknowledge = acknowledger(parts);
  const handOut = handingOut(parts);
  return async (query) => {
    refuseOwnNode(query, parts.node);
    const page = await pageOfFolded(parts, query);
    // The reader has accepted the cursor, so it is one of ours.
    acknowledge(query);
    handOut(query, page.nextCursor);
    return page;
  };
}

/** Reads a page, and as long as there is nothing and no end to the waiting, reads again after each commit. */
async function pageUntil(
  parts: FeedParts,
  query: ChangesQuery,
  end: AbortSignal,
  acknowledge: (query: ChangesQuery) => void,
): Promise<PageResponse> {
  for (let first = true; ; first = false) {
    const { version } = parts.commits;
    const page = await pageOfFolded(parts, query);
    // The reader has accepted the cursor, so it is one of ours.
    if (first && !query.ahead) acknowledge(query);
    if (page.changes > 0 || page.hasMore || query.waitMs === 0 || end.aborted) return page;
    await parts.commits.after(version, end);
    if (end.aborted) return page;
  }
}

/** Where nothing is folded yet, an empty page is the answer once so many waits in a row brought the fold no further. */
const MAX_STANDSTILLS = 10;

/** Reads a page of what is folded; where that is nothing yet, as soon as the fold has come further. */
async function pageOfFolded(parts: PageParts, query: ChangesQuery): Promise<PageResponse> {
  if (query.ahead || query.prompt) {
    const page = await readPage(parts, query);
    const isEnough = query.prompt && page.changes > 0 && !page.waitsForFold;
    if (isEnough || isWhole(page)) return page;
  }
  let contradicted: readonly number[] = [];
  for (let folded = -1, standstills = 0; ;) {
    const page = await pageBesideFold(parts, query, parts.fold(contradicted));
    const contradictedStill = contradicted.length > 0 && page.contradicted[0] === contradicted[0];
    standstills = page.folded === folded ? standstills + 1 : 0;
    const isGivenUp = standstills >= MAX_STANDSTILLS || contradictedStill || parts.signal.aborted;
    if (page.changes > 0 || !page.waitsForFold || isGivenUp) return page;
    ({ folded, contradicted } = page);
  }
}

/** Reads a page once the work has come to its end, is given no more time, or has left enough for a whole page. */
async function pageBesideFold(
  parts: PageParts,
  query: ChangesQuery,
  folding: Promise<unknown>,
): Promise<PageResponse> {
  for (let waitedMs = LOOK_INTERVAL_MS; ; waitedMs += LOOK_INTERVAL_MS) {
    const isSettled = await settledWithin(folding, LOOK_INTERVAL_MS);
    const page = await readPage(parts, query);
    if (isSettled || isWhole(page) || waitedMs >= MAX_FOLD_WAIT_MS) return page;
  }
}

/** In the middle of the log there is enough to go on with, whatever the fold still has to do. */
function isWhole(page: PageResponse): boolean {
  return page.hasMore && page.changes > 0;
}

/** A peer that knows a later state of this log tells that a backup was restored: then this becomes a new instance. */
async function readPage(parts: PageParts, query: ChangesQuery): Promise<PageResponse> {
  try {
    return await parts.reader.page(query);
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 'log_rewound') throw error;
    if (query.node !== null) await becomeNewInstance(parts, query);
    throw cursorInvalid();
  }
}

async function becomeNewInstance(parts: PageParts, { since, witness, heard }: ChangesQuery): Promise<void> {
  const renewed = (await parts.writer.rewound(since, heard)) || (await parts.writer.rewound(witness ?? ''));
  // Which tells of it.
  if (renewed) void parts.fold();
}

function refuseOwnNode({ node }: ChangesQuery, ours: string): void {
  if (node !== ours) return;
  throw new SyncError(
    'own_node',
    `a replica that calls itself "${node}" asks for changes, and that is the node id of this one`,
    {
      hint: 'Two replicas with one node id: give one of them another node.id.',
    },
  );
}

function sendNews(response: Response, news: boolean): void {
  response.json({ news } satisfies NewsBody);
}

function send(response: Response, page: PageResponse, nowMs: number): void {
  response.set(PAGE_HASH_HEADER, page.sha256);
  response.set(SERVER_TIME_HEADER, String(nowMs));
  if (page.hasMore) response.set(NEXT_CURSOR_HEADER, page.nextCursor);
  response.type('json');
  const { buffer, byteOffset, byteLength } = page.body;
  response.send(Buffer.from(buffer, byteOffset, byteLength));
}
