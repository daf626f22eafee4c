import ms from 'ms';

/** How long ago, e.g. `3m`. */
export function agoText(atMs: number, nowMs: number): string {
  return ms(Math.max(0, nowMs - atMs));
}
