import { readReplica, type Changelog } from '../changelog/changelog.js';
import { drawMark, headOf } from '../changelog/marks.js';
import { storedCursor } from '../changelog/peers.js';
import { SyncError, messageOf } from '../errors.js';
import { statement } from '../sql/template.js';
import type { Change } from '../wire/change.js';
import type { Page } from '../wire/page.js';
import { applyChange, type Applied } from './apply-change.js';
import { guarded } from './guarded.js';
import { isAnythingHeld, quarantine, reasonOf, reviewHeld, type Reason } from './quarantine.js';
import type { ApplyClock } from './local.js';
import { LatencyTally, NO_LATENCIES, type Latencies } from './latency.js';
import { learn } from './learn.js';
import { enterTogether, newRowsAt, NotTogether, ROWS_TOGETHER } from './new-rows.js';
import { retryParked } from './parked.js';
import { OldRows } from './too-old.js';

export interface ApplyOptions extends ApplyClock {
  readonly peer: string;
  /** The cursor that the page was asked with. */
  readonly since: string;
  /** Our newest pruned log id when the page was asked for. */
  readonly pruned?: number;
  /** Our epoch that the page was asked with; null where it was asked as nobody. */
  readonly epoch: string | null;
  /** The file that the page was read from, where it counts for claims (`_sync_peers.imported`). */
  readonly imported?: string | null;
  /** One transaction takes no longer than about this, ms. */
  readonly boxMs: number;
  /** A clock that only goes forward, ms. */
  readonly elapsedMs: () => number;
  /** How far clocks are ahead of ours in ms, by node id, where that is known. */
  readonly skewsMs?: Readonly<Record<string, number>>;
}

/** What became of a page's changes. */
export interface ApplyCounts {
  applied: number;
  skipped: number;
  conflicts: number;
  quarantined: number;
  /** How long those that were applied were on their way. */
  latencies: Latencies;
}

/** A page on its way into the tables, over as many transactions as it takes. */
export interface PageInProgress {
  readonly page: Page;
  /** Tombstones first: what a delete frees is free for the rows that follow. */
  readonly changes: readonly Change[];
  readonly next: number;
  /** Changes that an app's trigger answered with ROLLBACK, by place: they can't be tried in a transaction again. */
  readonly refused: ReadonlyMap<number, Reason>;
  /** New rows that are entered together at most. */
  readonly together: number;
  readonly counts: Readonly<ApplyCounts>;
  /** Someone claims of our log what it has not, or not any more: it was rewound. */
  readonly overclaimed: boolean;
}

/** How far a part has come; to be kept once its transaction is committed. */
export interface PartDone {
  readonly next: number;
  readonly counts: Readonly<ApplyCounts>;
  readonly done: boolean;
  readonly overclaimed: boolean;
}

export function beginPage(page: Page, together = ROWS_TOGETHER): PageInProgress {
  const rank = (change: Change): number => (change.record === null ? 0 : 1);
  const changes = [...page.changes].sort((a, b) => rank(a) - rank(b));
  const counts = { applied: 0, skipped: 0, conflicts: 0, quarantined: 0, latencies: NO_LATENCIES };
  return { page, changes, next: 0, refused: new Map(), together, counts, overclaimed: false };
}

/** How a page goes on whose transaction was taken back for this error; null where the error is none of its changes'. */
export function takenBack(progress: PageInProgress, error: unknown): PageInProgress | null {
  if (error instanceof NotTogether) return { ...progress, together: 1 };
  if (!(error instanceof TransactionLost)) return null;
  return { ...progress, refused: new Map(progress.refused).set(error.place, error.reason) };
}

/**
 * Applies the next part of a page in the transaction that is open; with the last part, parked changes are tried again
 * and the peer's cursor moves. Throws `cursor_moved` where the stored cursor is
 * not the one that the page was asked with, `instance_renewed` where this instance is not the one that asked.
 */
export function applyPart(changelog: Changelog, progress: PageInProgress, options: ApplyOptions): PartDone {
  requireCursor(changelog, options);
  const part = guarded(changelog, options.nowMs, () => applyNext(changelog, progress, options));
  // Also a row that was held may have brought a legacy row into the log.
  drawMark(changelog.database);
  return part;
}

/** What a part adds up. */
interface Tallies {
  readonly counts: ApplyCounts;
  readonly latencies: LatencyTally;
}

function applyNext(changelog: Changelog, progress: PageInProgress, options: ApplyOptions): PartDone {
  const counts = { ...progress.counts };
  const latencies = new LatencyTally(counts.latencies, options);
  const head = headOf(changelog.database);
  const next = applyInBox(changelog, progress, { counts, latencies }, options);
  const done = next >= progress.changes.length;
  if (done && !progress.page.has_more) {
    retryParked(changelog, options, options.peer, (result, change) => {
      count({ counts, latencies }, change, result);
      counts.quarantined = Math.max(0, counts.quarantined - 1);
    });
  }
  counts.latencies = latencies.sum;
  let overclaimed = false;
  if (!done) changelog.prepare(statement('apply/forget-sender')).run({ head });
  if (done) {
    moveCursor(changelog, progress.page, counts, options);
    if (!progress.page.has_more) ({ overclaimed } = learn(changelog, progress.page, options));
  }
  return { next, counts, done, overclaimed };
}

/** Applies changes until the time is over; returns the place of the first that is left. */
function applyInBox(
  changelog: Changelog,
  progress: PageInProgress,
  tallies: Tallies,
  options: ApplyOptions,
): number {
  const started = options.elapsedMs();
  const held = isAnythingHeld(changelog);
  const oldRows = new OldRows(changelog, progress.page);
  // Whatever may keep a single row back has them looked at one by one.
  const together = held || oldRows.suspect || progress.refused.size > 0 ? 1 : progress.together;
  let next = progress.next;
  let looked = next;
  // Each look in vain puts the next twice as far off.
  let pause = 1;
  while (next < progress.changes.length && options.elapsedMs() - started < options.boxMs) {
    if (together > 1 && next >= looked && changelog.settling.nowMs === null) {
      const { rows, alone } = newRowsAt(changelog, progress.changes, {
        place: next,
        count: together,
        clock: options,
      });
      if (rows?.changes.every((change) => oldRows.refusal(change) === null) === true) {
        enterTogether(changelog, rows);
        tallies.counts.applied += together;
        for (const change of rows.changes) tallies.latencies.note(change);
        next += together;
        pause = 1;
        continue;
      }
      looked = next + Math.max(rows?.changes.length ?? alone, pause);
      pause = Math.min(pause * 2, together);
    }
    const change = progress.changes[next];
    if (change !== undefined)
      applyOne(
        changelog,
        tallies,
        { change, refusal: oldRows.refusal(change) ?? progress.refused.get(next), place: next, held },
        options,
      );
    next += 1;
  }
  oldRows.passOnSuspicion();
  return next;
}

function requireCursor(changelog: Changelog, options: ApplyOptions): void {
  const { epoch } = readReplica(changelog.database);
  if (epoch !== (options.epoch ?? epoch)) throw instanceRenewed(options.peer);
  const stored = storedCursor(changelog, options.peer);
  // A page from before tombstones were pruned here may hold rows that they had deleted.
  const { pruned } = readReplica(changelog.database);
  if (stored === options.since && (options.pruned ?? pruned) === pruned) return;
  throw cursorMoved(options.peer);
}

/** What is told of a page that was asked for with another cursor than is stored. */
export function cursorMoved(peer: string): SyncError {
  return new SyncError('cursor_moved', `Another process has pulled from "${peer}" meanwhile.`, {
    hint: 'The pull goes on from where that one stands.',
  });
}

/** What is told of a page that was asked for as an instance that this replica is no more. */
export function instanceRenewed(peer: string): SyncError {
  return new SyncError('instance_renewed', `The page of "${peer}" was for an instance that is no more.`, {
    hint: 'A backup was restored: this replica goes on as a new instance, and everything is compared again.',
  });
}

function applyOne(
  changelog: Changelog,
  tallies: Tallies,
  {
    change,
    refusal,
    place,
    held,
  }: { change: Change; refusal: Reason | undefined; place: number; held: boolean },
  options: ApplyOptions,
): void {
  const result = refusal === undefined ? tryChange(changelog, change, place, options) : heldFor(refusal);
  count(tallies, change, result);
  if (result.outcome === 'held') {
    quarantine(changelog, change, result.reason, options);
  } else if (held && reviewHeld(changelog, change, options)) {
    tallies.counts.conflicts += 1;
  }
}

function heldFor(reason: Reason): Applied {
  return { outcome: 'held', reason };
}

function tryChange(changelog: Changelog, change: Change, place: number, options: ApplyOptions): Applied {
  try {
    return applyChange(changelog, change, options);
  } catch (cause) {
    const reason = changelog.database.inTransaction ? null : reasonOf(cause);
    if (reason === null) throw cause;
    throw new TransactionLost(place, reason, cause);
  }
}

/** An app's trigger rolled the whole transaction back while this change was applied. */
export class TransactionLost extends Error {
  constructor(
    readonly place: number,
    readonly reason: Reason,
    cause: unknown,
  ) {
    super(`The transaction was rolled back: ${messageOf(cause)}`, { cause });
  }
}

function count({ counts, latencies }: Tallies, change: Change, result: Applied): void {
  if (result.outcome === 'held') {
    counts.quarantined += 1;
    return;
  }
  counts[result.outcome] += 1;
  if (result.outcome === 'applied') latencies.note(change);
  if (result.conflict) counts.conflicts += 1;
}

function moveCursor(changelog: Changelog, page: Page, counts: ApplyCounts, options: ApplyOptions): void {
  changelog.prepare(statement('peers/move-cursor')).run({
    name: options.peer,
    epoch: page.epoch,
    cursor: page.next_cursor,
    behind: page.behind,
    appliedMs: counts.applied > 0 ? options.nowMs : null,
    fromStart: options.since === '' ? 1 : 0,
    // behind a row that waits for the fold there may be more than the page says
    hasMore: page.has_more || page.behind > 0 ? 1 : 0,
    imported: options.imported ?? null,
  });
}
