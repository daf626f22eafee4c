import { tableNamed, type Changelog } from '../changelog/changelog.js';
import { statement } from '../sql/template.js';
import { toChange, type Change } from '../wire/change.js';
import { compareVersions } from '../wire/version.js';
import type { Applied } from './apply-change.js';
import type { ApplyClock } from './local.js';
import { isAnythingHeld, release } from './quarantine.js';
import { applyTogether } from './together.js';

/** Parked changes that one transaction tries again at the most. */
const MAX_RETRIED = 20_000;

interface Parked {
  readonly id: number;
  readonly change: Change;
}

/**
 * Tries again what a unique index kept out, all of it together. At the head of a peer (`headOf`) that is what came from
 * there, and what still clashes is decided between the rows; otherwise (null) it is everything, and clashes stay.
 * Calls `onApplied` for what found its place.
 */
export function retryParked(
  changelog: Changelog,
  clock: ApplyClock,
  headOf: string | null,
  onApplied: (result: Applied, change: Change) => void,
): void {
  if (!isAnythingHeld(changelog)) return;
  const parked = readParked(changelog, headOf);
  const changes = parked.map((one) => one.change).sort((a, b) => compareVersions(b.version, a.version));
  const applied = applyTogether(changelog, changes, clock, headOf !== null);
  for (const { id, change } of parked) {
    const result = applied.get(change);
    if (result === undefined) continue;
    release(changelog, id);
    onApplied(result, change);
  }
}

function readParked(changelog: Changelog, peer: string | null): Parked[] {
  const rows = changelog.prepare(statement('apply/parked')).all({ peer, limit: MAX_RETRIED }) as {
    id: number;
    change: string;
  }[];
  return rows
    .map(({ id, change }) => ({ id, change: toChange(JSON.parse(change), `quarantine ${id}`) }))
    .filter(({ change }) => tableNamed(changelog, change.table) !== undefined);
}
