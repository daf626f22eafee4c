import type { Change } from '../wire/change.js';
import type { ApplyClock } from './local.js';
import type { Reason } from './quarantine.js';

/*
 * A replica whose clock is right sends nothing that is stamped much later than now, and one whose clock is wrong is not
 * pulled from. What comes all the same was written by a clock that was wrong then, here or behind others, or by a program
 * that lies. It would win over everything until its time has come: so it waits for that.
 */

/** How the reason of a change starts that is applied once its time has come. */
export const AHEAD = 'stamped too far ahead of this clock:';

/** Whether a stamp (ms since 1970) is later than any that a replica may send that may be pulled from. */
export function isAhead(stamp: number, clock: ApplyClock): boolean {
  return stamp - clock.nowMs > mostAheadMs(clock);
}

/**
 * Why a change has to wait; null where it has not. An edit of a row that is as far ahead here already (`localStamp`, ms;
 * null: no version is known) makes nothing worse, and need not wait.
 */
export function aheadReason(
  { version }: Change,
  localStamp: number | null,
  clock: ApplyClock,
): Reason | null {
  const nowMs = Math.max(clock.nowMs, localStamp ?? 0);
  if (!isAhead(version.stamp, { ...clock, nowMs })) return null;
  const time = new Date(version.stamp).toISOString();
  return `${AHEAD} ${time}; it is applied by itself when its time has come, at once by quarantine retry ID, and never by quarantine drop ID`;
}

/** When a change has to be tried again that was held for this reason, ms since 1970; null: not by time. */
export function dueMsOf({ version }: Change, reason: Reason, clock: ApplyClock): number | null {
  return reason.startsWith(AHEAD) ? version.stamp - mostAheadMs(clock) : null;
}

/** For a person who applies it now. */
export function atAnyTime(clock: ApplyClock): ApplyClock {
  return { ...clock, abortSkewMs: Infinity };
}

/** A peer that may be pulled from is ahead by the one at most, and what its rows claim by the other. */
function mostAheadMs({ abortSkewMs, maxSkewMs }: ApplyClock): number {
  return abortSkewMs + maxSkewMs;
}
