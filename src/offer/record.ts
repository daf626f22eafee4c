import { messageOf, SyncError } from '../errors.js';
import type { Logger } from '../log/logger.js';
import type { PullFailure } from '../pull/state.js';
import type { OfferResult } from './offer.js';

/** How the offers to one peer stand. Times are ms since 1970. */
export interface OfferState {
  readonly phase: 'waiting' | 'offering' | 'stopped';
  /** True while the last attempt was a failure. */
  readonly failing: boolean;
  readonly lastAttemptMs: number | null;
  readonly lastSuccessMs: number | null;
  /** Stays after a success, with its time. */
  readonly lastError: PullFailure | null;
  readonly lastOffer: OfferResult | null;
}

/** Keeps the state of the offers to a peer, and says each turn of it once. */
export interface OfferRecord {
  readonly state: OfferState;
  started(): void;
  succeeded(result: OfferResult): void;
  failed(error: unknown): void;
  /** This replica stops. */
  ended(): void;
}

/** `now`: ms since 1970. */
export function createOfferRecord(peer: string, logger: Logger, now: () => number): OfferRecord {
  let state: OfferState = {
    phase: 'waiting',
    failing: false,
    lastAttemptMs: null,
    lastSuccessMs: null,
    lastError: null,
    lastOffer: null,
  };
  const set = (change: Partial<OfferState>) => {
    state = { ...state, ...change };
  };
  return {
    get state() {
      return state;
    },
    started() {
      set({ phase: 'offering', lastAttemptMs: now() });
      logger.debug('offer started', { peer });
    },
    succeeded(result) {
      const loud = state.failing || state.lastSuccessMs === null || result.received > 0;
      set({ phase: 'waiting', failing: false, lastSuccessMs: now(), lastOffer: result });
      logger.log(loud ? 'info' : 'debug', 'offer finished', { ...result });
      if (result.quarantined > 0) {
        logger.warn('changes were quarantined at the peer', { peer, quarantined: result.quarantined });
      }
    },
    failed(error) {
      const known = error instanceof SyncError;
      const code = known ? error.code : 'unexpected';
      const repeated = state.failing && state.lastError?.code === code;
      set({ phase: 'waiting', failing: true });
      // An attempt that the breaker did not let through says nothing new.
      if (code === 'breaker_open') return;
      const hint = known ? (error.hint ?? null) : null;
      set({ lastError: { code, message: messageOf(error), hint, atMs: now() } });
      logger.log(repeated ? 'debug' : 'warn', 'offer failed', { peer, error });
    },
    ended() {
      set({ phase: 'stopped' });
    },
  };
}
