/** What a new version's stamp is made of; all in ms since 1970. */
export interface StampSource {
  /** When the row says, or the trigger saw, that it was written; null where neither knows. */
  readonly claimedMs: number | null;
  /** The stamp of the version that is replaced; null where there is none. */
  readonly replacedMs: number | null;
  readonly nowMs: number;
  /** How far ahead of `nowMs` a claim may lie before it is taken as now. */
  readonly maxSkewMs: number;
}

/** Latest stamp that travels: the end of the year 9999, ms. */
export const MAX_STAMP_MS = 253_402_300_799_999;

/** The stamp of a version that replaces another at once; at the end of time it is the same. */
export function stampAfter(replacedMs: number): number {
  return Math.min(replacedMs + 1, MAX_STAMP_MS);
}

/**
 * The stamp of a new version: what the row claims, but never at or below the version that it replaces, so that an
 * edit made after seeing a version beats it however slow this clock is.
 */
export function nextStamp(source: StampSource): number {
  const claimed = source.claimedMs ?? source.nowMs;
  const bounded = claimed > source.nowMs + source.maxSkewMs ? source.nowMs : Math.max(0, Math.trunc(claimed));
  return source.replacedMs === null ? bounded : Math.max(bounded, stampAfter(source.replacedMs));
}
