import { tableNamed, type Changelog } from '../changelog/changelog.js';
import { statement } from '../sql/template.js';
import { toChange, type Change } from '../wire/page.js';
import { compareVersions } from '../wire/version.js';
import { applyChange, type Applied } from './apply-change.js';
import { decideClash } from './clash.js';
import type { ApplyClock } from './local.js';
import { isAnythingHeld } from './quarantine.js';
import { applyTogether } from './together.js';

/** Parked changes that one pass tries again. */
const MAX_RETRIED = 2_000;

interface Parked {
  readonly id: number;
  readonly peer: string;
  readonly change: Change;
}

/**
 * Tries again what a unique index kept out: one by one, then all together, and, at the head of the peer that it came
 * from (`headOf`), by deciding between the rows, newest first. Calls `onApplied` for what found its place.
 */
export function retryParked(
  changelog: Changelog,
  clock: ApplyClock,
  headOf: string | null,
  onApplied: (result: Applied) => void,
): void {
  if (!isAnythingHeld(changelog)) return;
  const release = (parked: Parked, result: Applied | undefined): boolean => {
    if (result === undefined || result.outcome === 'held') return false;
    changelog.prepare(statement('apply/release')).run({ id: parked.id });
    onApplied(result);
    return true;
  };
  let left = readParked(changelog);
  left = left.filter((parked) => !release(parked, applyChange(changelog, parked.change, clock)));
  const together = applyTogether(
    changelog,
    left.map((parked) => parked.change),
    clock,
  );
  left = left.filter((parked) => !release(parked, together.get(parked.change)));
  const newestFirst = left
    .filter((parked) => parked.peer === headOf)
    .sort((a, b) => compareVersions(b.change.version, a.change.version));
  for (const parked of newestFirst) release(parked, decideClash(changelog, parked.change, clock));
}

function readParked(changelog: Changelog): Parked[] {
  const rows = changelog.prepare(statement('apply/parked')).all({ limit: MAX_RETRIED }) as {
    id: number;
    peer: string;
    change: string;
  }[];
  return rows
    .map(({ id, peer, change }) => ({ id, peer, change: toChange(JSON.parse(change), `quarantine ${id}`) }))
    .filter(({ change }) => tableNamed(changelog, change.table) !== undefined);
}
