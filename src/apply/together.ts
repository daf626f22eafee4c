import { tableNamed, type Changelog } from '../changelog/changelog.js';
import type { Change } from '../wire/page.js';
import { applyChange, type Applied } from './apply-change.js';
import { noteConflict } from './ledger.js';
import { findRow, findVersion, findWholeRow, type ApplyClock, type WholeRow } from './local.js';
import { resolve } from './resolve.js';
import { inSavepoint } from './savepoint.js';
import { deleteRow } from './write.js';

/** A change of a group that a row outside of the group stands in the way of. */
class Blocked extends Error {
  constructor(readonly change: Change) {
    super('blocked');
  }
}

/** Changes that are taken out of a group one by one before the rest is given up for now. */
const MAX_TAKEN_OUT = 100;

/**
 * Applies changes whose unique values stand in each other's way, as a committed swap does: all their rows make room
 * first, then all are written. Changes that still clash with a row outside are left out. Call inside the apply
 * transaction, guard set. Returns what became of those that were applied.
 */
export function applyTogether(
  changelog: Changelog,
  changes: readonly Change[],
  clock: ApplyClock,
): Map<Change, Applied> {
  let group = [...changes];
  for (let taken = 0; group.length > 0 && taken <= MAX_TAKEN_OUT; taken += 1) {
    try {
      return inSavepoint(changelog, () => applyGroup(changelog, group, clock));
    } catch (error) {
      if (!(error instanceof Blocked)) throw error;
      group = group.filter((change) => change !== error.change);
    }
  }
  return new Map();
}

function applyGroup(changelog: Changelog, group: readonly Change[], clock: ApplyClock): Map<Change, Applied> {
  const kept = group.map((change) => makeRoom(changelog, change, clock));
  return new Map(
    group.map((change, place) => {
      const result = applyChange(changelog, change, clock, kept[place] ?? null);
      if (result.outcome === 'held') throw new Blocked(change);
      return [change, result];
    }),
  );
}

/** Takes the row away that a change is to replace, and returns it; null where the change writes none. */
function makeRoom(changelog: Changelog, change: Change, clock: ApplyClock): WholeRow | null {
  const table = tableNamed(changelog, change.table);
  if (table === undefined) return null;
  const local = findVersion(changelog, table, change.key);
  const resolution = resolve(local?.version ?? null, change.version);
  if (local === null || resolution.outcome !== 'write') return null;
  if (resolution.conflict) {
    const winner = { version: change.version, record: change.record };
    const loser = { version: local.version, record: findRow(changelog, table, change.key) };
    const meeting = { winner, loser, local: 'loser', winnerKey: null } as const;
    noteConflict(changelog, table, change.key, meeting, clock.nowMs);
  }
  const row = findWholeRow(changelog, table, change.key);
  if (row !== null) deleteRow(changelog, table, change.key);
  return row;
}
