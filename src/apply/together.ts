import { tableNamed, type Changelog } from '../changelog/changelog.js';
import type { Change } from '../wire/change.js';
import { applyChange, type Applied } from './apply-change.js';
import { decideClash } from './clash.js';
import { noteConflict } from './ledger.js';
import { findRow, findVersion, findWholeRow, type ApplyClock, type WholeRow } from './local.js';
import { resolve } from './resolve.js';
import { inSavepoint } from './savepoint.js';
import { decidedBy } from './strategy.js';
import { deleteRow } from './write.js';

/** Changes of a group that find no place in it. */
class Blocked extends Error {
  constructor(readonly changes: ReadonlySet<Change>) {
    super('blocked');
  }
}

/** A group is tried so often, each time without what was blocked, before it is given up for now. */
const MAX_ROUNDS = 10;

/**
 * Applies changes whose unique values stand in each other's way, as a committed swap or shift does: all their rows make
 * room first, then all are written, in the given order. What then still clashes does so with a row outside of the
 * group: with `decide` one of the two goes, otherwise the change is left out. Call inside the apply transaction, guard
 * set. Returns what became of those that found their place.
 */
export function applyTogether(
  changelog: Changelog,
  changes: readonly Change[],
  clock: ApplyClock,
  decide: boolean,
): Map<Change, Applied> {
  let group = changes;
  for (let round = 0; group.length > 0 && round < MAX_ROUNDS; round += 1) {
    try {
      return inSavepoint(changelog, () => applyGroup(changelog, group, clock, decide));
    } catch (error) {
      if (!(error instanceof Blocked)) throw error;
      group = group.filter((change) => !error.changes.has(change));
    }
  }
  return new Map();
}

function applyGroup(
  changelog: Changelog,
  group: readonly Change[],
  clock: ApplyClock,
  decide: boolean,
): Map<Change, Applied> {
  const kept = group.map((change) => makeRoom(changelog, change, clock));
  const results = new Map<Change, Applied>();
  const blocked = new Set<Change>();
  for (const [place, change] of group.entries()) {
    const row = kept[place] ?? null;
    let result = applyChange(changelog, change, clock, row);
    if (result.outcome === 'held' && decide) result = decideClash(changelog, change, clock, row);
    if (result.outcome === 'held') blocked.add(change);
    results.set(change, result);
  }
  if (blocked.size > 0) throw new Blocked(blocked);
  return results;
}

/** Takes the row away that a change is to replace, and returns it; null where the change writes none. */
function makeRoom(changelog: Changelog, change: Change, clock: ApplyClock): WholeRow | null {
  const table = tableNamed(changelog, change.table);
  if (table === undefined) return null;
  const local = findVersion(changelog, table, change.key);
  const resolution = resolve(local?.version ?? null, change.version);
  if (local === null || resolution.outcome !== 'write') return null;
  if (resolution.conflict) {
    if (decidedBy(changelog, table, local.version) !== 'version') return null;
    const winner = { version: change.version, record: change.record };
    const loser = { version: local.version, record: findRow(changelog, table, change.key) };
    const meeting = { winner, loser, local: 'loser', winnerKey: null, decidedBy: 'version' } as const;
    noteConflict(changelog, table, change.key, meeting, clock.nowMs);
  }
  const row = findWholeRow(changelog, table, change.key);
  if (row !== null) deleteRow(changelog, table, change.key);
  return row;
}
