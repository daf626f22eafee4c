import type { Changelog } from '../changelog/changelog.js';
import { isOpenAlready, settleSeen } from '../changelog/settle.js';
import type { ReplicatedTable } from '../database/replicable.js';
import type { Change } from '../wire/change.js';
import { noteConflict } from './ledger.js';
import { findRow, type ApplyClock, type LocalVersion } from './local.js';

/** Two versions of a row that met, of which neither has seen the other. */
export interface Met {
  readonly table: ReplicatedTable;
  readonly local: LocalVersion;
  readonly change: Change;
}

/**
 * Leaves the row as it is here and keeps the change in the ledger, open, in place of what its author has replaced by it.
 * False where the ledger says so already.
 */
export function leaveUndecided(
  changelog: Changelog,
  { table, local, change }: Met,
  clock: ApplyClock,
): boolean {
  const { key, version } = change;
  if (isOpenAlready(changelog, table, key, version)) return false;
  settleSeen(changelog, table, () => key, version);
  const meeting = {
    winner: { version: local.version, record: findRow(changelog, table, key) },
    loser: change,
    local: 'winner',
    winnerKey: null,
    decidedBy: 'nobody',
  } as const;
  return noteConflict(changelog, table, key, meeting, clock.nowMs);
}
