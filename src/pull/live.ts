import { setTimeout as pause } from 'node:timers/promises';
import { isCode, SyncError } from '../errors.js';
import type { Logger } from '../log/logger.js';
import type { ReaderCalls } from '../threads/calls.js';
import type { PeerClient } from './client.js';
import { orAborted } from './deadline.js';
import type { GivenPage, PullParts } from './pull.js';

/** How long a peer may hold a question; short enough for what stands between and drops silent connections. */
const HELD_MS = 30_000;
/** Between a pull and the next question: a storm of commits comes in so many pages, not in one for each commit. */
const REST_MS = 20;
/** Where the pulls bring names alone, since others were faster, the rest doubles up to this. */
const MAX_NAMED_REST_MS = 200;
/** And up to this where they bring nothing at all, although the peer said so. */
const MAX_REST_MS = 2_000;
/** After a question or a pull that failed; doubles. */
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
/** After a failure a question that is held for so long shows that it is over. */
const SETTLED_MS = 5_000;

/** What ended the listening: the peer has something, or is out of reach, or whoever listened wanted no more. */
export type Heard = 'news' | 'lost' | 'nothing';

/** The end of a listening. */
export interface Answer {
  readonly heard: Heard;
  /** What the peer has, where that came with the answer. */
  readonly given: GivenPage | null;
}

export const NOTHING_HEARD: Answer = { heard: 'nothing', given: null };

/** What a pull has brought. */
export interface LivePull {
  readonly received: number;
  /** Versions that we had already, for the most part. */
  readonly named: number;
  /** Other pulls' turns before it included. */
  readonly durationMs: number;
}

/**
 * Holds a question at one peer between two pulls: it is answered as soon as there is something to pull. The answer
 * carries no rows that another peer may have too, so that what to pull of those is decided by what is here at that moment, and not
 * when the question was asked; what the peer itself has written comes with it.
 */
export interface Live {
  /** Whether the peer holds our questions: what it has arrives at once. */
  readonly on: boolean;
  /** Asks until the peer has something or is out of reach, or the signal is aborted. Any other failure is asked again, later and later. */
  listen(signal: AbortSignal): Promise<Answer>;
  /** Told after a pull: what came, how long it took, and whether the peer had said that it has something. */
  pulled(pull: LivePull, heard: Heard): void;
  /** Told after a pull that failed. */
  failed(): void;
  /** The peer is back: what failed before says nothing. */
  reset(): void;
}

export interface LiveParts {
  readonly peer: string;
  readonly client: Pick<PeerClient, 'news'>;
  readonly reader: Pick<ReaderCalls, 'pullStart'>;
  /** Rejects where nothing may be applied now. */
  readonly admit: PullParts['admit'];
  readonly logger: Logger;
}

export function createLive({ peer, client, reader, admit, logger }: LiveParts): Live {
  /** Questions in a row that were not held, and pulls in a row that failed. */
  let failures = 0;
  let failedPulls = 0;
  /** Pulls in a row that the peer asked for and that brought no rows. */
  let fruitless = 0;
  let mostRestMs = MAX_REST_MS;
  let tookMs = 0;
  /** Before that the peer is not asked again; pulls that fall in between do not put it off. */
  let retryAtMs = 0;
  /** When the question that is held was asked; null: none is. */
  let askedMs: number | null = null;
  let isTried = false;

  function restMs(): number {
    // Where everybody is busy, it rests as long as it works.
    const usualMs = Math.max(Math.min(REST_MS * 2 ** fruitless, mostRestMs), Math.min(tookMs, MAX_REST_MS));
    const isFailing = failures > 0 || failedPulls > 0;
    return isFailing ? Math.max(usualMs, retryAtMs - performance.now()) : usualMs;
  }

  function askLater(): void {
    const failed = Math.max(failures, failedPulls);
    const waitMs = jittered(Math.min(FIRST_RETRY_MS * 2 ** (failed - 1), MAX_RETRY_MS));
    retryAtMs = performance.now() + waitMs;
  }

  async function ask(signal: AbortSignal): Promise<Answer> {
    try {
      const start = await orAborted(reader.pullStart(peer), signal);
      const own = !start.full && (await mayApply());
      const startedMs = performance.now();
      askedMs = startedMs;
      isTried = true;
      const news = await client.news({ ...start, since: start.cursor, own, waitMs: HELD_MS }, signal);
      if (typeof news !== 'boolean') return { heard: 'news', given: { start, page: news } };
      if (news) return { heard: 'news', given: null };
      requireHeld(performance.now() - startedMs, peer);
      failures = 0;
      return NOTHING_HEARD;
    } catch (error) {
      signal.throwIfAborted();
      return { heard: fail(error), given: null };
    } finally {
      askedMs = null;
    }
  }

  /** So that a page that comes with the answer needs not wait for this; why nothing may be applied, the pull will say. */
  async function mayApply(): Promise<boolean> {
    try {
      await admit();
      return true;
    } catch (error) {
      logger.debug('nothing can be applied now', { peer, error });
      return false;
    }
  }

  function fail(error: unknown): Heard {
    failures += 1;
    askLater();
    const isLost = isCode(error, 'peer_unreachable');
    // That a peer is lost the pull will say.
    const level = failures > 1 || isLost ? 'debug' : 'info';
    logger.log(level, 'changes of the peer do not arrive at once', { peer, error });
    return isLost ? 'lost' : 'nothing';
  }

  return {
    get on() {
      if (failures === 0 && failedPulls === 0) return isTried;
      return askedMs !== null && performance.now() - askedMs > SETTLED_MS;
    },
    async listen(signal) {
      try {
        for (;;) {
          await pause(restMs(), undefined, { signal });
          const answer = await ask(signal);
          if (answer.heard !== 'nothing') return answer;
        }
      } catch (error) {
        if (signal.aborted) return NOTHING_HEARD;
        throw error;
      }
    },
    pulled({ received, named, durationMs }, heard) {
      failedPulls = 0;
      tookMs = heard === 'news' ? durationMs : 0;
      mostRestMs = named > 0 ? MAX_NAMED_REST_MS : MAX_REST_MS;
      if (received > 0) fruitless = 0;
      else if (heard === 'news') fruitless += 1;
      if (received + named > 0 && heard === 'news') failures = 0;
    },
    failed() {
      failedPulls += 1;
      askLater();
    },
    reset() {
      failures = 0;
      failedPulls = 0;
      fruitless = 0;
    },
  };
}

/** A peer that stops answers at once; one that always does would be asked without end. */
function requireHeld(heldMs: number, peer: string): void {
  if (heldMs >= HELD_MS / 2) return;
  throw new SyncError('not_held', `${peer} does not hold a question until it has something`, {
    hint: 'It may be stopping; it is asked again by itself, and pulled from at every interval.',
  });
}

/** Half of it to all of it: what failed for many at once is not tried by all at once. */
function jittered(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}
