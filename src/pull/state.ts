import { isSkewed, type Skew } from '../clock/skew.js';
import type { Config } from '../config/config.js';
import { messageOf, SyncError } from '../errors.js';
import type { Logger } from '../log/logger.js';
import type { ApplyResponse } from '../threads/calls.js';
import { gatherPulls } from './gathered-pulls.js';
import { shortened } from '../wire/shortened.js';
import type { PullResult } from './pull.js';

/** Rows of one page that the log names; of the others it tells the number. */
const MAX_NAMED_ROWS = 20;

export interface PullFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly atMs: number;
}

/** How the pulls from one peer stand. Times are ms since 1970. */
export interface PullState {
  readonly phase: 'waiting' | 'pulling' | 'stopped';
  /** True while the peer can't be reached. */
  readonly lost: boolean;
  /** True while the last attempt was a failure. */
  readonly failing: boolean;
  readonly lastAttemptMs: number | null;
  readonly lastSuccessMs: number | null;
  /** Stays after a success, with its time. */
  readonly lastError: PullFailure | null;
  readonly lastPull: PullResult | null;
  /** The peer's clock ahead of ours, ms. */
  readonly skewMs: number | null;
  readonly skewUncertaintyMs: number | null;
}

/** What a replica tells its program about pulls. */
export interface PullListener {
  readonly applied: (peer: string, page: ApplyResponse) => void;
  readonly conflict: (peer: string, conflicts: number) => void;
  readonly peerLost: (peer: string, failure: PullFailure) => void;
  readonly peerRegained: (peer: string) => void;
}

/** Keeps a peer's state, and says each turn of it once: in the log and to the listener. */
export interface PullRecord {
  readonly state: PullState;
  readonly started: (loud: boolean) => void;
  readonly page: (page: ApplyResponse) => void;
  readonly skew: (skew: Skew) => void;
  /** `asked`: the peer let us know that it has something; many such pulls may follow each other, and share a line. */
  readonly succeeded: (result: PullResult, loud: boolean, asked?: boolean) => void;
  readonly failed: (error: unknown, loud: boolean) => void;
  /** The attempt was given up because this replica stops. */
  readonly ended: () => void;
}

export interface RecordParts {
  readonly peer: string;
  readonly clock: Config['clock'];
  readonly logger: Logger;
  readonly listener: PullListener;
  /** ms since 1970. */
  readonly now: () => number;
}

export function createRecord({ peer, clock, logger, listener, now }: RecordParts): PullRecord {
  let state: PullState = {
    phase: 'waiting',
    lost: false,
    failing: false,
    lastAttemptMs: null,
    lastSuccessMs: null,
    lastError: null,
    lastPull: null,
    skewMs: null,
    skewUncertaintyMs: null,
  };
  let skewWarned = false;
  const set = (change: Partial<PullState>) => {
    state = { ...state, ...change };
  };

  function answered(): void {
    if (!state.lost) return;
    set({ lost: false });
    logger.info('peer is back', { peer });
    listener.peerRegained(peer);
  }

  function lose(failure: PullFailure): void {
    if (state.lost) return;
    set({ lost: true });
    logger.warn('peer is lost', { peer, error: failure.message });
    listener.peerLost(peer, failure);
  }

  function say(result: PullResult, loud: boolean): void {
    const { applied, skipped, conflicts, quarantined, pages, durationMs } = result;
    const level = loud || result.received > 0 ? 'info' : 'debug';
    logger.log(level, 'pull finished', {
      peer,
      applied,
      skipped,
      conflicts,
      quarantined,
      pages,
      durationMs,
    });
    if (quarantined > 0) logger.warn('changes were quarantined', { peer, quarantined });
  }

  const gathered = gatherPulls((sum) => {
    say(sum, false);
  });

  return {
    get state() {
      return state;
    },
    started(loud) {
      set({ phase: 'pulling', lastAttemptMs: now() });
      logger.log(loud ? 'info' : 'debug', 'pull started', { peer });
    },
    page(page) {
      answered();
      if (page.applied > 0) listener.applied(peer, page);
      if (page.conflicts > 0) listener.conflict(peer, page.conflicts);
      for (const row of page.oversized.slice(0, MAX_NAMED_ROWS)) {
        logger.error('a row of the peer is too large to travel', { peer, row: shortened(row) });
      }
      const more = page.oversized.length - MAX_NAMED_ROWS;
      if (more > 0) logger.error('more rows of the peer are too large to travel', { peer, rows: more });
      for (const { table, reason } of page.resolverFaults) {
        logger.error('the resolver failed: conflicts of the table wait to be resolved', {
          peer,
          table,
          reason,
        });
      }
    },
    skew(skew) {
      set({ skewMs: skew.skewMs, skewUncertaintyMs: skew.uncertaintyMs });
      const warn = isSkewed(skew, clock.maxSkewMs);
      if (warn && !skewWarned) logger.warn('clocks differ', { peer, ...skew });
      skewWarned = warn;
    },
    succeeded(result, loud, asked = false) {
      answered();
      const again = state.failing;
      set({ phase: 'waiting', failing: false, lastSuccessMs: now(), lastPull: result });
      if (asked && !loud && !again) {
        gathered.add(result);
        return;
      }
      gathered.flush();
      say(result, loud || again);
    },
    failed(error, loud) {
      const failure = failureOf(error, now());
      const repeated = state.failing && state.lastError?.code === failure.code;
      set({ phase: 'waiting', failing: true });
      // An attempt that the breaker did not let through says nothing new.
      if (failure.code === 'breaker_open') return;
      set({ lastError: failure });
      if (failure.code === 'peer_unreachable') lose(failure);
      else answered();
      // That it is lost was said, with this error.
      if (!state.lost) {
        logger.log(repeated && !loud ? 'debug' : 'warn', 'pull failed', { peer, error });
      }
    },
    ended() {
      gathered.flush();
      set({ phase: 'stopped' });
    },
  };
}

function failureOf(error: unknown, atMs: number): PullFailure {
  const known = error instanceof SyncError;
  return {
    code: known ? error.code : 'unexpected',
    message: messageOf(error),
    hint: known ? (error.hint ?? null) : null,
    atMs,
  };
}
