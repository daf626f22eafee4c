import type { PeerAnswer, StatusAnswer } from './answers.js';
import { count, skew } from './format.js';

/** How well something is. Each has a mark beside its colour. */
export type Level = 'ok' | 'busy' | 'warn' | 'error' | 'idle';

export const MARKS: Readonly<Record<Level, string>> = {
  ok: '✓',
  busy: '↻',
  warn: '!',
  error: '✕',
  idle: '–',
};

export interface PeerState {
  readonly level: Level;
  /** A few words. */
  readonly text: string;
}

/** What is worth a warning where the configuration's own `clock.max_skew` is not known here. */
const LARGE_SKEW_MS = 5_000;

/** Whether this replica pulls from the peer, or is to. */
export function isPulled({ address, pull }: PeerAnswer): boolean {
  return address !== null || pull !== null;
}

/** How our pulls from a peer stand. */
export function pullState(peer: PeerAnswer): PeerState {
  const { behind, direction, pull } = peer;
  if (!isPulled(peer)) {
    return { level: 'idle', text: direction === null ? 'pulls from here only' : 'feeds us by itself' };
  }
  if (pull === null) return { level: 'idle', text: 'not started' };
  if (pull.lost) return { level: 'error', text: 'unreachable' };
  if (pull.breaker === 'open') return { level: 'error', text: 'failing, waits' };
  if (pull.failing) return { level: 'error', text: 'failing' };
  if (pull.last_success_ms === null) return { level: 'busy', text: 'first pull' };
  if (pull.skew_ms !== null && Math.abs(pull.skew_ms) > LARGE_SKEW_MS) {
    return { level: 'warn', text: `clock ${skew(pull.skew_ms)}` };
  }
  if (behind !== null && behind > 0) return { level: 'busy', text: `${count(behind)} behind` };
  return { level: 'ok', text: 'in step' };
}

/** What a peer that pulls from us has of our log; null where it never did. */
export function servedState({ acknowledged }: PeerAnswer, { head }: StatusAnswer): PeerState | null {
  if (acknowledged === null) return null;
  const left = head - acknowledged;
  if (left <= 0) return { level: 'ok', text: 'has all' };
  // Among the entries left may be some that are not for it.
  return { level: 'busy', text: `at most ${count(left)} behind` };
}

/** When we last had an answer of it, or it one of ours; ms since 1970. */
export function lastContact({ pull, last_applied_ms, acknowledged_ms }: PeerAnswer): number | null {
  const times = [pull?.last_success_ms ?? null, last_applied_ms, acknowledged_ms].filter((at) => at !== null);
  return times.length === 0 ? null : Math.max(...times);
}

export const BREAKER_WORDS = { closed: 'closed', half_open: 'trying', open: 'open' } as const;
