import { setTimeout as pause } from 'node:timers/promises';
import { createWake } from '../pull/wake.js';
import { offer, type OfferParts } from './offer.js';
import type { OfferRecord, OfferState } from './record.js';

/** Offers to one peer for as long as the daemon runs, one offer at a time. */
export interface OfferLoop {
  readonly state: OfferState;
  /** Offers now, or once more after the offer that runs. */
  offer(): void;
  /** Resolves when the running request is aborted. */
  stop(): Promise<void>;
}

export interface OfferLoopParts {
  readonly offer: OfferParts;
  readonly record: OfferRecord;
}

/** Between two offers: a storm of commits goes in so many pages, and leaves the peer's rate limit to the pulls. */
const REST_MS = 50;

/** Waits for its first call. */
export function startOfferLoop({ offer: parts, record }: OfferLoopParts): OfferLoop {
  const wake = createWake();
  const end = new AbortController();
  const done = run();

  async function run(): Promise<void> {
    for (;;) {
      await wake.wait(null, end.signal);
      if (end.signal.aborted) break;
      wake.take();
      await round();
      await rest(end.signal);
    }
    record.ended();
  }

  async function round(): Promise<void> {
    record.started();
    try {
      record.succeeded(await offer(parts, end.signal));
    } catch (error) {
      if (!end.signal.aborted) record.failed(error);
    }
  }

  return {
    get state() {
      return record.state;
    },
    offer() {
      wake.ring({ triggered: true, full: false });
    },
    async stop() {
      end.abort();
      await done;
    },
  };
}

async function rest(signal: AbortSignal): Promise<void> {
  try {
    await pause(REST_MS, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
