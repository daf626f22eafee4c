import { setTimeout as pause } from 'node:timers/promises';
import type { Request } from 'express';
import { ipKeyGenerator } from 'express-rate-limit';
import { SyncError } from '../errors.js';
import type { Logger } from '../log/logger.js';

/** Who was not let in since the start, by reason. */
export interface RefusalCounts {
  /** No key, or none that is accepted. */
  key: number;
  /** `Host`, `Origin` or `Sec-Fetch-Site` of another than this machine, where no key is set. */
  host: number;
  /** No certificate, or none of the configured authority. */
  certificate: number;
  /** No TLS connection came about. */
  handshake: number;
  /** More requests than `security.rate_limit`, or than are slowed down at once. */
  rate: number;
}

export function noRefusals(): RefusalCounts {
  return { key: 0, host: 0, certificate: 0, handshake: 0, rate: 0 };
}

/** Counts, logs and slows down those who are refused, by their address. */
export interface Refusals {
  /** Resolves when the refusal may be answered. Rejects with `rate_limited` where too many wait for that. */
  refused(reason: keyof RefusalCounts, request: Request): Promise<void>;
  /** The same for what is not answered. */
  note(reason: keyof RefusalCounts, address: string): void;
}

/** What the timers and times of refusals depend on. */
export interface RefusalParts {
  readonly counts: RefusalCounts;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Steady, in ms. */
  readonly elapsedMs?: () => number;
}

/** A misconfigured peer is refused so often before it waits for it. */
const FREE_REFUSALS = 5;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;
/** Refusals that wait at once; more are answered at once, as too many. */
const MAX_WAITING = 100;
/** An address that was not refused for so long starts anew. */
const FORGET_MS = 10 * 60_000;
/** Addresses that are remembered; with more the longest unheard go. */
const MAX_ADDRESSES = 1000;
/** One line for an address within this time, and so many for all. */
const LOG_INTERVAL_MS = 60_000;
const MAX_LINES = 20;

interface Offender {
  refusals: number;
  lastMs: number;
  /** When it was last logged, and how often it was refused since. */
  loggedMs: number;
  unlogged: number;
}

export function createRefusals(parts: RefusalParts): Refusals {
  const { counts, logger, signal, elapsedMs = () => performance.now() } = parts;
  const offenders = new Map<string, Offender>();
  let waiting = 0;
  let minute = { startMs: -Infinity, lines: 0 };

  function mayLog(nowMs: number): boolean {
    if (nowMs - minute.startMs >= LOG_INTERVAL_MS) minute = { startMs: nowMs, lines: 0 };
    minute.lines += 1;
    return minute.lines <= MAX_LINES;
  }

  function remember(reason: keyof RefusalCounts, address: string): Offender {
    counts[reason] += 1;
    const nowMs = elapsedMs();
    const client = addressOf(address);
    const before = offenders.get(client);
    const fresh = before === undefined || nowMs - before.lastMs >= FORGET_MS;
    const offender = fresh ? { refusals: 0, lastMs: nowMs, loggedMs: -Infinity, unlogged: 0 } : before;
    offender.refusals += 1;
    offender.unlogged += 1;
    offender.lastMs = nowMs;
    keepNewest(offenders, client, offender);
    if (nowMs - offender.loggedMs >= LOG_INTERVAL_MS && mayLog(nowMs)) {
      logger.warn('a client was refused', { address, reason, times: offender.unlogged });
      offender.loggedMs = nowMs;
      offender.unlogged = 0;
    }
    return offender;
  }

  return {
    note(reason, address) {
      remember(reason, address);
    },
    async refused(reason, request) {
      const { refusals } = remember(reason, request.ip ?? '');
      const delayMs = delayAfter(refusals);
      if (delayMs === 0) return;
      if (waiting >= MAX_WAITING) {
        counts.rate += 1;
        throw tooMany('too many refused requests wait for their answers');
      }
      waiting += 1;
      try {
        await pause(delayMs, undefined, { signal, ref: false });
      } catch (error) {
        // This replica stops: then it is answered at once.
        if (!signal.aborted) throw error;
      } finally {
        waiting -= 1;
      }
    },
  };
}

export function tooMany(message: string): SyncError {
  return new SyncError('rate_limited', message, {
    hint: 'Ask again after retry-after; security.rate_limit of this replica says how often.',
  });
}

/** How long the answer to the n-th refusal in a row waits, ms. */
export function delayAfter(refusals: number): number {
  if (refusals <= FREE_REFUSALS) return 0;
  return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(20, refusals - FREE_REFUSALS - 1));
}

/** Who owns an IPv6 address has many more beside it: those count as one. */
export function addressOf(ip: string): string {
  return ip === '' ? 'unknown' : ipKeyGenerator(ip);
}

/** A map keeps the order in which its keys were set. */
function keepNewest(offenders: Map<string, Offender>, client: string, offender: Offender): void {
  offenders.delete(client);
  offenders.set(client, offender);
  const [oldest] = offenders.keys();
  if (offenders.size > MAX_ADDRESSES && oldest !== undefined) offenders.delete(oldest);
}
