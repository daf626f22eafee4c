/** One question and its answer: when it was sent and when the answer was there, by our clock, in ms since 1970. */
export interface Exchange {
  readonly sentMs: number;
  readonly receivedMs: number;
  /** The other clock, read somewhere in between. */
  readonly theirsMs: number;
}

/** How far the other clock is ahead of ours, in ms; negative: behind. The true value is within `uncertaintyMs`. */
export interface Skew {
  readonly skewMs: number;
  readonly uncertaintyMs: number;
}

/** Takes the middle of the exchange as the moment at which the other clock was read. */
export function skewOf({ sentMs, receivedMs, theirsMs }: Exchange): Skew {
  return {
    skewMs: Math.round(theirsMs - (sentMs + receivedMs) / 2),
    uncertaintyMs: Math.ceil((receivedMs - sentMs) / 2),
  };
}

/** Whether the clocks differ by more than this for certain, the way of the answer accounted for. */
export function isSkewed({ skewMs, uncertaintyMs }: Skew, limitMs: number): boolean {
  return Math.abs(skewMs) - uncertaintyMs > limitMs;
}
