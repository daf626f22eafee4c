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

/**
 * The stamp of a new version: what the row claims, but never at or below the version that it replaces, so that an
 * edit made after seeing a version beats it however slow this clock is.
 */
export function nextStamp(source: StampSource): number {
  const claimed = source.claimedMs ?? source.nowMs;
  const bounded = claimed > source.nowMs + source.maxSkewMs ? source.nowMs : Math.max(0, Math.trunc(claimed));
  return source.replacedMs === null ? bounded : Math.max(bounded, source.replacedMs + 1);
}
