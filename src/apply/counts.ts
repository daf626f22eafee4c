/** What became of the changes of one page or many. */
export interface Counts {
  /** Changes that were sent. */
  readonly received: number;
  /** Rows written or deleted. */
  readonly applied: number;
  /** Known already, or lost against what was there. */
  readonly skipped: number;
  readonly conflicts: number;
  readonly quarantined: number;
}

export const NO_COUNTS: Counts = { received: 0, applied: 0, skipped: 0, conflicts: 0, quarantined: 0 };

export function addCounts(one: Counts, other: Counts): Counts {
  return {
    received: one.received + other.received,
    applied: one.applied + other.applied,
    skipped: one.skipped + other.skipped,
    conflicts: one.conflicts + other.conflicts,
    quarantined: one.quarantined + other.quarantined,
  };
}
