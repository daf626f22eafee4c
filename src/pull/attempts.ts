import {
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  halfJitterGenerator,
  handleWhen,
  isBrokenCircuitError,
  retry,
  wrap,
} from 'cockatiel';
import type { Config } from '../config/config.js';
import { SyncError } from '../errors.js';
import { orAborted } from './deadline.js';

export type BreakerState = 'closed' | 'open' | 'half_open';

/** How one peer's requests are attempted: again after a pause, and for a while not at all after many failures. */
export interface Attempts {
  readonly breaker: BreakerState;
  /** Rejects with the last attempt's error, with `breaker_open` where none was made, or with the signal's reason at once. */
  run<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Forgets the failures: the peer was found to answer, or a person asks for an attempt now. */
  reset(): void;
}

/** Longest pause between two attempts. */
const MAX_BACKOFF_MS = 30_000;

/** What may pass by itself; anything else fails alike when it is tried again. */
const TRANSIENT: ReadonlySet<string> = new Set(['peer_unreachable', 'peer_failed', 'page_damaged']);

export function createAttempts(peer: string, network: Config['network']): Attempts {
  let policies = createPolicies(network);
  return {
    get breaker() {
      return breakerState(policies.breaker.state);
    },
    async run(request, signal) {
      signal.throwIfAborted();
      const { attempts } = policies;
      const failures: unknown[] = [];
      const attempt = async () => {
        try {
          return await request();
        } catch (error) {
          failures.push(error);
          throw error;
        }
      };
      try {
        // A pause between attempts would outlast the abort.
        return await orAborted(attempts.execute(attempt, signal), signal);
      } catch (error) {
        if (!isBrokenCircuitError(error)) throw error;
        // The breaker, which offers share, was opened before the last attempt: the one before says what is wrong.
        if (failures.length > 0) throw failures.at(-1);
        throw new SyncError(
          'breaker_open',
          `${peer} is left alone after ${network.breakerFailures} failures in a row`,
          {
            hint: `The next attempt is made after ${network.breakerCooldownMs / 1000} s, or at once by trigger.`,
            cause: error,
          },
        );
      }
    },
    reset() {
      policies = createPolicies(network);
    },
  };
}

function createPolicies(network: Config['network']) {
  const transient = handleWhen((error) => error instanceof SyncError && TRANSIENT.has(error.code));
  const breaker = circuitBreaker(transient, {
    halfOpenAfter: network.breakerCooldownMs,
    breaker: new ConsecutiveBreaker(network.breakerFailures),
  });
  const again = retry(transient, {
    maxAttempts: network.maxRetries,
    backoff: new ExponentialBackoff({
      initialDelay: network.retryBackoffMs,
      maxDelay: MAX_BACKOFF_MS,
      generator: halfJitterGenerator,
    }),
  }).dangerouslyUnref();
  return { breaker, attempts: wrap(again, breaker) };
}

function breakerState(state: CircuitState): BreakerState {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half_open' : 'open';
}
