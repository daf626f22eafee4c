import { nextStamp } from '../clock/stamp.js';
import { seenAfter, type Version } from '../wire/version.js';

/** What the fold knows of a row that some raw entry names. */
export interface FoldedRow {
  /** Content hash of the row as it is now; empty where there is none. */
  readonly fingerprint: string;
  /** When it was written or deleted, ms; null where nothing says. */
  readonly claimedMs: number | null;
}

export interface FoldClock {
  readonly nowMs: number;
  readonly maxSkewMs: number;
}

/** The version that this instance gives a row, or null where its content is what the present version says. */
export function nextVersion(
  present: Version | null,
  row: FoldedRow,
  origin: string,
  clock: FoldClock,
): Version | null {
  if (present?.fingerprint === row.fingerprint) return null;
  return {
    stamp: nextStamp({ claimedMs: row.claimedMs, replacedMs: present?.stamp ?? null, ...clock }),
    origin,
    fingerprint: row.fingerprint,
    seen: present === null ? null : seenAfter(present, origin),
  };
}
