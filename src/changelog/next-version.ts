import { nextStamp } from '../clock/stamp.js';
import { MAX_RANK, seenAfter, type Version } from '../wire/version.js';
import type { Horizon } from './horizon.js';

/** What the fold knows of a row that some raw entry names. */
export interface FoldedRow {
  /** Content hash of the row as it is now; empty where there is none. */
  readonly fingerprint: string;
  /** When it was written or deleted, ms; null where nothing says. */
  readonly claimedMs: number | null;
  /** What was pruned of its table, where the row is new here: it comes after that. */
  readonly horizon?: Horizon | null;
}

export interface FoldClock {
  readonly nowMs: number;
  readonly maxSkewMs: number;
}

/** The version that a row has here. */
export interface Present {
  readonly version: Version;
  /** The newest stamp that a version of the row ever had here, ms: above the present one's, where that won by rank. */
  readonly newestMs: number;
}

/** Who makes a version. */
export interface Author {
  /** The instance, `node@epoch`. */
  readonly origin: string;
  /** True where this replica is the one whose edits `source_wins` prefers. */
  readonly preferred: boolean;
}

/** The rank of an edit by this author of a row that had this rank, 0 where it is new. */
export function rankAfter(rank: number, { preferred }: Author): number {
  return preferred ? Math.min(rank + 1, MAX_RANK) : rank;
}

/**
 * The version that this instance gives a row, or null where its content is what the present version says. Its stamp is
 * above all that the row ever had here: an instance's stamps tell what it knew, so they have to grow.
 */
export function nextVersion(
  present: Present | null,
  row: FoldedRow,
  author: Author,
  clock: FoldClock,
): Version | null {
  if (present?.version.fingerprint === row.fingerprint) return null;
  return editOf(present, row, author, clock);
}

/** The version of an edit by this instance, whatever the row held before. */
export function editOf(present: Present | null, row: FoldedRow, author: Author, clock: FoldClock): Version {
  return {
    rank: rankAfter(present?.version.rank ?? row.horizon?.rank ?? 0, author),
    stamp: nextStamp({
      claimedMs: row.claimedMs,
      replacedMs: present?.newestMs ?? row.horizon?.stamp ?? null,
      ...clock,
    }),
    origin: author.origin,
    fingerprint: row.fingerprint,
    seen: present === null ? null : seenAfter(present.version, author.origin),
  };
}
