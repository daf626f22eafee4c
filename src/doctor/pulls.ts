import ms from 'ms';
import type { Check } from './check.js';
import { fine, warning, type Seen } from './finding.js';
import type { Setup } from './subjects.js';

/** How the running daemon's own pulls end. */
export const pullsCheck: Check<Setup> = {
  name: 'pulls',
  look({ daemon: { status } }) {
    if (status === null) return [];
    const seen = status.peers.flatMap(({ name, pull }): Seen[] => {
      const error = pull?.last_error ?? null;
      if (error === null || error.at_ms <= (pull?.last_success_ms ?? 0)) return [];
      const ago = ms(Math.max(0, status.time_ms - error.at_ms));
      const fix = error.hint ?? 'The log of the daemon says more.';
      return [warning(`the daemon's last pull from ${name} failed ${ago} ago: ${error.message}`, fix)];
    });
    const pulling = status.peers.filter(({ pull }) => pull !== null).length;
    return seen.length > 0 || pulling === 0 ? seen : [fine("none of the daemon's last pulls failed")];
  },
};
