import { tableNamed, type Changelog } from '../changelog/changelog.js';
import { horizonOf } from '../changelog/horizon.js';
import { drawMark } from '../changelog/marks.js';
import { tellOwn } from '../changelog/own-member.js';
import { messageOf } from '../errors.js';
import { statement } from '../sql/template.js';
import { applyChange } from './apply-change.js';
import { AHEAD, atAnyTime } from './ahead.js';
import { authorAnew } from './author-anew.js';
import { guarded } from './guarded.js';
import { changeOf, readHeld, type Held } from './held-list.js';
import type { Change } from '../wire/change.js';
import { keyText } from '../wire/key-text.js';
import { findRow, findVersion, type ApplyClock } from './local.js';
import { retryParked } from './parked.js';
import { quarantine, release } from './quarantine.js';
import { TOO_OLD } from './too-old.js';
import { enterVersion } from './write.js';

/** What became of a held change that was tried again. */
export interface Retried {
  readonly held: Held;
  /** Why it stays; null where it has left the quarantine. */
  readonly reason: string | null;
}

/** An app's trigger rolled the whole transaction back while this change was tried again. */
export class RetryLost extends Error {
  constructor(
    readonly id: number,
    cause: unknown,
  ) {
    super(`The transaction was rolled back: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Tries held changes again, one by one; with `deliberate` also those that only a person may apply. Call inside a write
 * transaction, once everything is folded.
 */
export function retryHeld(
  changelog: Changelog,
  batch: readonly Held[],
  clock: ApplyClock,
  deliberate: boolean,
): Retried[] {
  return guarded(changelog, clock.nowMs, () => {
    const results = batch.map((held) => ({ held, reason: retryOne(changelog, held, clock, deliberate) }));
    if (results.some(({ reason }) => reason === null)) drawMark(changelog.database);
    tellOwn(changelog, clock.nowMs);
    return results;
  });
}

/** Tries again together what stands in each other's way, as a swap of unique values does. Returns how many found their place. */
export function retryClashing(changelog: Changelog, clock: ApplyClock): number {
  return guarded(changelog, clock.nowMs, () => {
    let applied = 0;
    retryParked(changelog, clock, null, () => (applied += 1));
    if (applied > 0) drawMark(changelog.database);
    tellOwn(changelog, clock.nowMs);
    return applied;
  });
}

/** Forgets a held change and returns it. Throws `held_unknown`. */
export function dropHeld(changelog: Changelog, id: number, nowMs: number): Held {
  const held = readHeld(changelog.database, id);
  release(changelog, id);
  noteDropped(changelog, changeOf(held));
  changelog.prepare(statement('peers/note-dropped')).run({ name: held.peer });
  tellOwn(changelog, nowMs);
  return held;
}

function noteDropped(changelog: Changelog, { table, key, version }: Change): void {
  const { stamp, origin, fingerprint } = version;
  const bound = { table, key: keyText(key), stamp, origin, fingerprint };
  changelog.prepare(statement('quarantine/note-dropped')).run(bound);
}

function retryOne(changelog: Changelog, held: Held, clock: ApplyClock, deliberate: boolean): string | null {
  if (tableNamed(changelog, held.table) === undefined) return held.reason;
  if (!deliberate && held.reason.startsWith(TOO_OLD)) return held.reason;
  const change = changeOf(held);
  const when = deliberate ? atAnyTime(clock) : clock;
  const result = attempt(changelog, held.id, () => applyChange(changelog, change, when));
  if (result.outcome === 'held') {
    // Also where it has to wait longer than it was to.
    if (result.reason !== held.reason || result.reason.startsWith(AHEAD)) {
      quarantine(changelog, change, result.reason, { peer: held.peer, sinceMs: held.since_ms, ...clock });
    }
    return result.reason;
  }
  if (held.reason.startsWith(TOO_OLD)) bringBack(changelog, change, clock);
  release(changelog, held.id);
  return null;
}

/** A deletion that is forgotten everywhere has overruled this row: it comes back as an edit of the person who wants it. */
function bringBack(changelog: Changelog, { table: name, key }: Change, clock: ApplyClock): void {
  const table = tableNamed(changelog, name);
  if (table === undefined) throw new TypeError(`Expected "${name}" to be replicated`);
  const current = findVersion(changelog, table, key);
  if (current === null || current.version.fingerprint === '') return;
  const version = authorAnew(changelog, table, current, clock, horizonOf(changelog, name)?.stamp);
  enterVersion(changelog, table, { key, version, record: findRow(changelog, table, key) }, current);
}

function attempt<T>(changelog: Changelog, id: number, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (changelog.database.inTransaction) throw cause;
    throw new RetryLost(id, cause);
  }
}
