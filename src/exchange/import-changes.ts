import { addCounts, NO_COUNTS } from '../apply/counts.js';
import type { Config } from '../config/config.js';
import { SyncError } from '../errors.js';
import type { ApplyResponse, PullStart } from '../threads/calls.js';
import { parseCursor } from '../wire/cursor.js';
import { instanceOf } from '../wire/instance.js';
import { NOTHING } from '../wire/members.js';
import type { OpenedDatabase } from './database.js';
import { foreign, type FileHeader } from './format.js';
import { planImport, type ImportPlan } from './plan.js';
import type { ChangesFile, FilePage } from './read-file.js';

/** Pages that are handed to the writer at a time, as a pull does. */
const PAGES_TOGETHER = 4;
/** Times in a row that another process may apply before us; then it has what the file holds. */
const MAX_CURSOR_MOVES = 20;

export interface ImportOptions {
  /** Told after each step: pages of the file that are done. */
  readonly onProgress: (pages: number) => void;
  readonly onPage: (page: ApplyResponse) => void;
  readonly signal: AbortSignal;
}

export interface Imported {
  /** Pages applied; 0 where everything in the file was known. */
  readonly pages: number;
  readonly received: number;
  readonly applied: number;
  readonly skipped: number;
  readonly conflicts: number;
  readonly quarantined: number;
  /** The cursor for the next export of that replica. */
  readonly nextCursor: string;
}

/**
 * Refuses a file that was written by this replica, by one without any of its tables (`file_foreign`), or by a clock that is
 * further ahead than `clock.abort_skew` allows (`clock_skew`).
 */
export function requireSuitable({ path, header }: ChangesFile, config: Config, nowMs: number): void {
  if (header.node === config.node.id) {
    throw new SyncError('file_is_own', `${path} was exported by this replica itself ("${header.node}")`, {
      hint: 'Import it on the other machine; or, if that is another replica, give one of the two another node.id.',
    });
  }
  const ours = new Set(config.tables.map(({ name }) => name.toLowerCase()));
  if (!header.tables.some((name) => ours.has(name.toLowerCase())))
    throw foreign(path, `"${header.node}" replicates none of the tables of this one`);
  const aheadMs = header.created_ms - nowMs;
  if (aheadMs <= config.clock.abortSkewMs) return;
  const seconds = (aheadMs / 1000).toFixed(1);
  throw new SyncError(
    'clock_skew',
    `${path} was made ${seconds} s from now: a clock is wrong, theirs or ours`,
    {
      hint: 'Newer would win over older wrongly: set the clocks of both machines, and export again; or raise clock.abort_skew.',
    },
  );
}

/**
 * Applies what a file holds and is not known here, page after page, as a pull from that replica does. Rejects with `file_gap`
 * where it begins after what is known, `file_outdated` where that replica is another instance by now.
 */
export async function importChanges(
  file: ChangesFile,
  database: OpenedDatabase,
  options: ImportOptions,
): Promise<Imported> {
  let total: Imported = { ...NOTHING_DONE, nextCursor: '' };
  let renewed = false;
  for (let moves = 0; moves <= MAX_CURSOR_MOVES;) {
    try {
      const start = await database.reader.pullStart(file.header.node);
      const planned = await prepare(file, database, start);
      if (planned === null) return { ...total, nextCursor: start.cursor };
      await applyAll(file, database, planned, options, (page) => {
        total = sum(total, page);
        moves = 0;
      });
      return total;
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      if (error.code === 'cursor_moved') moves += 1;
      else if (error.code === 'instance_renewed' && !renewed) renewed = true;
      else throw error;
    }
  }
  throw new SyncError(
    'cursor_moved',
    `another process pulls from "${file.header.node}", and is always first`,
    {
      hint: 'Nothing is lost: that process applies the same changes. Import the file again, which does what is left.',
    },
  );
}

interface Planned {
  readonly cursor: string;
  readonly start: PullStart;
  readonly plan: Extract<ImportPlan, { kind: 'apply' }>;
  readonly stale: boolean;
}

/** Null where everything is known. */
async function prepare(
  file: ChangesFile,
  { reader, writer }: OpenedDatabase,
  start: PullStart,
): Promise<Planned | null> {
  const { header } = file;
  requireCurrent(file, start);
  const claim = start.member.claims[instanceOf(header)] ?? NOTHING;
  const held = { epoch: header.epoch, since: parseCursor(header.since), end: file.end, sha256: file.sha256 };
  const plan = planImport(held, { cursor: start.cursor, imported: start.imported ?? null, claim });
  if (plan.kind === 'known') return null;
  if (plan.kind === 'gap') throw gap(file, plan.from);
  if (plan.putBack !== null) await writer.putBackCursor(header.node, start.cursor, plan.putBack);
  const ours = instanceOf(await reader.identity());
  return { cursor: plan.putBack ?? start.cursor, start, plan, stale: isStale(header, ours, start.pruned) };
}

/** Whether something was pruned here that the replica had not heard of when it made the file, and may hold still. */
function isStale({ claims }: FileHeader, ours: string, pruned: number): boolean {
  return (claims[ours]?.log_id ?? 0) < pruned;
}

async function applyAll(
  file: ChangesFile,
  database: OpenedDatabase,
  { cursor, start, plan, stale }: Planned,
  options: ImportOptions,
  onApplied: (page: ApplyResponse) => void,
): Promise<void> {
  let since = cursor;
  let done = 0;
  let waiting: FilePage[] = [];
  const { sha256 } = file;
  const request = {
    ...{ peer: file.header.node, epoch: null, pruned: start.pruned },
    file: { sha256, claims: plan.claims, stale },
  };
  const applyWaiting = async (): Promise<void> => {
    const [first, ...further] = waiting;
    if (first === undefined) return;
    options.signal.throwIfAborted();
    await database.admit();
    // The page that the cursor lies in begins before it; what it holds from there is applied once more.
    const { body, sha256: pageHash } = first;
    const applied = await database.writer.apply({
      ...request,
      since,
      body,
      sha256: pageHash,
      further: further.map(sentOf),
    });
    onApplied(applied);
    options.onPage(applied);
    since = applied.nextCursor;
    waiting = waiting.slice(applied.pages);
    done += applied.pages;
    options.onProgress(done);
  };
  for await (const page of file.read()) {
    const isKnown = page.isLast ? page.next.logId < plan.knownTo : page.next.logId <= plan.knownTo;
    if (isKnown) done += 1;
    else waiting.push(page);
    if (waiting.length === PAGES_TOGETHER) await applyWaiting();
  }
  while (waiting.length > 0) await applyWaiting();
}

function sentOf({ since, body, sha256 }: FilePage) {
  return { since, body, sha256 };
}

/** A file of before its replica was restored, or started over, is of a log that goes on elsewhere. */
function requireCurrent({ path, header }: ChangesFile, { heard }: PullStart): void {
  if (heard === null || heard.epoch === header.epoch || header.born_ms > heard.born_ms) return;
  throw new SyncError(
    'file_outdated',
    `${path} is of an earlier instance of "${header.node}", which was restored or copied since`,
    { hint: 'Export there once more, without --since.' },
  );
}

function gap({ path, header }: ChangesFile, from: string): SyncError {
  const option = from === '' ? 'without --since' : `with --since ${from}`;
  return new SyncError(
    'file_gap',
    `${path} begins after what is known here of "${header.node}": changes between are missing`,
    { hint: `Import the files before it first, or export there once more, ${option}.` },
  );
}

const NOTHING_DONE = { pages: 0, ...NO_COUNTS };

function sum(total: Imported, page: ApplyResponse): Imported {
  return {
    pages: total.pages + page.pages,
    ...addCounts(total, page),
    nextCursor: page.nextCursor,
  };
}
