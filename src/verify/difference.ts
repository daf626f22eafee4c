import type { RowState } from '../wire/row-state.js';
import { compareVersions, type Version } from '../wire/version.js';

/** What differs between a row here and there. */
export type DifferenceKind = 'missing_here' | 'missing_there' | 'content' | 'version';

/** Null where they are equal. Of a row that neither has, versions don't count: one may have pruned its tombstone. */
export function differenceOf(
  here: Pick<RowState, 'fingerprint' | 'version'>,
  there: Pick<RowState, 'fingerprint' | 'version'>,
): DifferenceKind | null {
  if (here.fingerprint !== there.fingerprint) {
    if (here.fingerprint === null) return 'missing_here';
    return there.fingerprint === null ? 'missing_there' : 'content';
  }
  return here.fingerprint === null || isSameVersion(here.version, there.version) ? null : 'version';
}

export function isSameVersion(a: Version | null, b: Version | null): boolean {
  return a === null || b === null ? a === b : compareVersions(a, b) === 0;
}
