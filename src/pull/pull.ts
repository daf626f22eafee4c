import { addCounts, NO_COUNTS } from '../apply/counts.js';
import { isSkewed, type Skew } from '../clock/skew.js';
import type { Config } from '../config/config.js';
import { isCode, SyncError } from '../errors.js';
import type { ApplyResponse, PullStart, ReaderCalls, SentPage, WriterCalls } from '../threads/calls.js';
import { UNTRACED, type Tracer } from '../tracing/tracer.js';
import type { Attempts } from './attempts.js';
import { clockSkew } from './clock-skew.js';
import { PagesAhead, type CamePage } from './pages-ahead.js';
import type { Turns } from './turns.js';
import type { PageQuery, PeerClient, ReceivedPage } from './client.js';

/** What one pull did. */
export interface PullResult {
  readonly peer: string;
  readonly pages: number;
  readonly received: number;
  readonly applied: number;
  readonly skipped: number;
  readonly conflicts: number;
  readonly quarantined: number;
  /** Entries that the peer's log holds after what was pulled, at most. */
  readonly behind: number;
  readonly durationMs: number;
}

/** A short page that came with the answer to a question; it was seen before that there is room, and what the peer was told. */
export interface GivenPage {
  readonly start: PullStart;
  readonly page: ReceivedPage;
}

/** What a pull needs. */
export interface PullParts {
  readonly peer: string;
  readonly client: PeerClient;
  readonly attempts: Attempts;
  /** Shared by all pulls of this replica. */
  readonly turns: Turns;
  readonly reader: Pick<ReaderCalls, 'pullStart'>;
  readonly writer: Pick<WriterCalls, 'apply' | 'resetCursor'>;
  readonly pageSize: number;
  readonly clock: Config['clock'];
  /** How far the clocks of peers are ahead of ours in ms, by node id, where that is known. */
  readonly skewsMs?: () => Readonly<Record<string, number>>;
  /** Default: nothing is traced. */
  readonly tracer?: Tracer;
  /** Who answers there, and its clock, were checked a short while ago: it is not asked again. */
  readonly greeted?: boolean;
  /** It answered the last pull: it is asked for a page while it is greeted. */
  readonly answeredLast?: boolean;
  /** The peer said that it has something. */
  readonly prompt?: boolean;
  /** It has given the first page with that. */
  readonly given?: GivenPage | null;
  /** Rejects where nothing may be applied now, e.g. with `low_disk`. */
  admit(): Promise<void>;
  /** Told once per pull, before anything is applied. */
  onSkew(skew: Skew): void;
  onPage(page: ApplyResponse): void;
  /** ms since 1970. */
  now(): number;
}

/** Times in a row that another process may apply before us; it has then pulled what we would have. */
const MAX_CURSOR_MOVES = 20;
/** Pages in a row without a change, although there is said to be more. */
const MAX_EMPTY_PAGES = 1000;

/** A pull starts over by itself, once for each: the peer's log is another one, or this replica became a new instance. */
const START_OVER: ReadonlySet<string> = new Set(['cursor_invalid', 'instance_renewed']);

/**
 * Pulls from one peer to its head: page, apply, next page. Starts over once where the peer does not know our
 * cursor. Rejects with a SyncError, or with the signal's reason; what was applied until then stays.
 */
export async function pullPeer(parts: PullParts, signal: AbortSignal): Promise<PullResult> {
  const { peer, tracer = UNTRACED } = parts;
  return tracer.span('pull', { attributes: { 'sync.peer': peer } }, async () => {
    const result = await pullToHead(parts, signal);
    tracer.annotate({
      'sync.pages': result.pages,
      'sync.received': result.received,
      'sync.applied': result.applied,
      'sync.conflicts': result.conflicts,
      'sync.quarantined': result.quarantined,
    });
    return result;
  });
}

async function pullToHead(parts: PullParts, signal: AbortSignal): Promise<PullResult> {
  const startedMs = parts.now();
  let { greeted = false, given = null } = parts;
  const meet = async () => {
    await greet(parts, signal);
    greeted = true;
  };
  const pull = async (): Promise<PullResult | null> => {
    if (!greeted) {
      const answer = await greetAndAsk(parts, signal);
      if (answer === null) return null;
      greeted = true;
      given = answer.page;
    }
    return pullPages(parts, given, signal);
  };
  if (!greeted && parts.answeredLast !== true) await meet();
  const startedOver = new Set<string>();
  for (; ; given = null) {
    try {
      const total = await parts.turns.run(parts.peer, pull, signal);
      if (total !== null) return { ...total, durationMs: parts.now() - startedMs };
      // Others have their turns while it is tried again and again.
      await meet();
    } catch (error) {
      const code = error instanceof SyncError ? error.code : '';
      if (!START_OVER.has(code) || startedOver.has(code)) throw error;
      startedOver.add(code);
      if (code === 'cursor_invalid') await parts.writer.resetCursor(parts.peer);
    }
  }
}

async function greet(parts: PullParts, signal: AbortSignal): Promise<void> {
  const health = await parts.attempts.run(() => parts.client.health(signal), signal);
  if (health.skew !== null) acceptSkew(parts, health.skew);
}

/**
 * Greets a peer, and asks it for a page meanwhile. One attempt each: null where the peer did not answer, and a page that
 * did not come is null; whoever tries again is told why.
 */
async function greetAndAsk(
  parts: PullParts,
  signal: AbortSignal,
): Promise<{ readonly page: GivenPage | null } | null> {
  const [start] = await Promise.all([parts.reader.pullStart(parts.peer), parts.admit()]);
  const [health, page] = await Promise.all([
    parts.client.health(signal).catch(() => null),
    parts.client.page(pageQuery(parts, start, false), signal).catch(() => null),
  ]);
  signal.throwIfAborted();
  if (health === null) return null;
  if (health.skew !== null) acceptSkew(parts, health.skew);
  return { page: page === null ? null : { start, page } };
}

async function pullPages(
  parts: PullParts,
  given: GivenPage | null,
  signal: AbortSignal,
): Promise<PullResult> {
  let total = empty(parts.peer);
  let start = given?.start ?? (await parts.reader.pullStart(parts.peer));
  let ahead = pagesAhead(parts, start, signal, given?.page);
  let emptyPages = 0;
  for (let moves = 0; ;) {
    const received = await ahead.from(start.cursor);
    signal.throwIfAborted();
    for (const { skew } of received) refuseSkew(parts, skew);
    const applied = await applyOrAskWhole(parts, start, received, signal);
    if (applied === 'cursor moved') {
      moves += 1;
      if (moves > MAX_CURSOR_MOVES) throw overtaken(parts.peer);
      start = await parts.reader.pullStart(parts.peer);
      // What was asked ahead is of before the other process came.
      ahead = pagesAhead(parts, start, signal);
      continue;
    }
    moves = 0;
    total = sum(total, applied);
    parts.onPage(applied);
    if (!applied.hasMore) return total;
    emptyPages = applied.received + applied.named === 0 ? emptyPages + applied.pages : 0;
    if (applied.nextCursor === start.cursor || emptyPages > MAX_EMPTY_PAGES) throw endless(parts.peer);
    start = { ...start, cursor: applied.nextCursor };
  }
}

function pagesAhead(
  parts: PullParts,
  start: PullStart,
  signal: AbortSignal,
  given?: ReceivedPage,
): PagesAhead {
  const first = given === undefined ? null : { ...given, since: start.cursor };
  return new PagesAhead((cursor, isAhead) => ask(parts, { ...start, cursor }, isAhead, signal), first);
}

async function ask(
  parts: PullParts,
  start: PullStart,
  ahead: boolean,
  signal: AbortSignal,
): Promise<ReceivedPage> {
  await parts.admit();
  const query = pageQuery(parts, start, ahead);
  return parts.attempts.run(() => parts.client.page(query, signal), signal);
}

function pageQuery({ pageSize, prompt = false }: PullParts, start: PullStart, ahead: boolean): PageQuery {
  const { cursor: since, full, whole = false, witness, member, known, heard } = start;
  const asker = { since, full, whole, witness, member, known, heard, ahead };
  return { ...asker, limit: pageSize, waitMs: 0, prompt };
}

/** Applies pages; where the first only names what we lack, it is asked for with its rows. */
async function applyOrAskWhole(
  parts: PullParts,
  start: PullStart,
  pages: [CamePage, ...CamePage[]],
  signal: AbortSignal,
): Promise<ApplyResponse | 'cursor moved'> {
  try {
    return await applyPages(parts, start, pages);
  } catch (error) {
    if (!isCode(error, 'rows_missing')) throw error;
  }
  const page = await ask(parts, { ...start, whole: true }, false, signal);
  signal.throwIfAborted();
  return applyPages(parts, start, [{ ...page, since: start.cursor }]);
}

/** Applies the first of these pages, and as many of the others as can be with it; or another process was first. */
async function applyPages(
  parts: PullParts,
  { pruned, member }: PullStart,
  [first, ...further]: [CamePage, ...CamePage[]],
): Promise<ApplyResponse | 'cursor moved'> {
  const skewsMs = parts.skewsMs?.() ?? {};
  const request = { peer: parts.peer, epoch: member.epoch, pruned, skewsMs };
  try {
    return await parts.writer.apply({ ...request, ...sentPage(first), further: further.map(sentPage) });
  } catch (error) {
    if (isCode(error, 'cursor_moved')) return 'cursor moved';
    throw error;
  }
}

function sentPage({ since, body, sha256 }: CamePage): SentPage {
  return { since, body, sha256 };
}

/** A clock may be set while a pull lasts. How far it is off, the short question at its start tells better. */
function refuseSkew(parts: PullParts, skew: Skew | null): void {
  if (skew !== null && isSkewed(skew, parts.clock.abortSkewMs)) acceptSkew(parts, skew);
}

function acceptSkew(parts: PullParts, skew: Skew): void {
  parts.onSkew(skew);
  if (isSkewed(skew, parts.clock.abortSkewMs)) throw clockSkew(parts.peer, skew);
}

function overtaken(peer: string): SyncError {
  return new SyncError(
    'cursor_moved',
    `another process pulls from ${peer} at the same time, and is always first`,
    {
      hint: 'Nothing is lost: that process applies the same changes. Stop one of the two.',
    },
  );
}

function endless(peer: string): SyncError {
  return new SyncError('peer_endless', `${peer} says there is more, but sends nothing new`, {
    hint: 'Install the same version of sqlite-p2p-sync on both; what it sent before was applied.',
  });
}

function empty(peer: string): PullResult {
  return { peer, pages: 0, ...NO_COUNTS, behind: 0, durationMs: 0 };
}

/** Two pulls as one, or a pull and one more page of it. */
export function sum(total: PullResult, page: Omit<PullResult, 'peer' | 'durationMs'>): PullResult {
  return {
    ...total,
    pages: total.pages + page.pages,
    ...addCounts(total, page),
    behind: page.behind,
  };
}
