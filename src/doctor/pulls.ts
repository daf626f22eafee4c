import ms from 'ms';
import type { OfferedReport } from '../replica/status.js';
import type { Check } from './check.js';
import { fine, warning, type Seen } from './finding.js';
import type { Setup } from './subjects.js';

/** How the running daemon's own pulls and offers end. */
export const pullsCheck: Check<Setup> = {
  name: 'pulls',
  look({ daemon: { status } }) {
    if (status === null) return [];
    const seen = status.peers.flatMap(({ name, pull, offer, offered }): Seen[] => [
      ...failureOf(`the daemon's last pull from ${name} failed`, pull, status.time_ms),
      ...failureOf(`the daemon's last offer to ${name} failed`, offer, status.time_ms),
      ...failureOf(`the last page that ${name} offered was refused`, offered, status.time_ms),
    ]);
    const pulling = status.peers.filter(({ pull }) => pull !== null).length;
    return seen.length > 0 || pulling === 0 ? seen : [fine("none of the daemon's last pulls failed")];
  },
};

type Report = Pick<OfferedReport, 'last_error' | 'last_success_ms'> | null;

function failureOf(what: string, report: Report, nowMs: number): Seen[] {
  const error = report?.last_error ?? null;
  if (error === null || error.at_ms <= (report?.last_success_ms ?? 0)) return [];
  const ago = ms(Math.max(0, nowMs - error.at_ms));
  const fix = error.hint ?? 'The log of the daemon says more.';
  return [warning(`${what} ${ago} ago: ${error.message}`, fix)];
}
