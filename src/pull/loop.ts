import { SyncError } from '../errors.js';
import type { BreakerState } from './attempts.js';
import { pullPeer, type PullParts } from './pull.js';
import type { PullRecord, PullState } from './state.js';
import { createWake, type Call } from './wake.js';

/** Pulls from one peer for as long as the daemon runs, one pull at a time. */
export interface PeerLoop {
  readonly state: PullState & { readonly breaker: BreakerState };
  /** Pulls now, or once more after the pull that runs. */
  trigger(full: boolean): void;
  /** The schedule's turn: as the interval, it leaves a lost peer to its probes. */
  tick(): void;
  /** Resolves when the running request is aborted, or the page that is being applied is done. */
  stop(): Promise<void>;
}

export interface LoopParts {
  readonly pull: Omit<PullParts, 'onSkew' | 'onPage'>;
  readonly record: PullRecord;
  /** Null: only `tick` and `trigger` start a pull. */
  readonly intervalMs: number | null;
  /** How often a lost peer is probed. */
  readonly reconnectIntervalMs: number;
  /** Called after each pull, unless the peer can't be reached. */
  readonly afterPull?: () => void;
}

/** Starts at once with a first pull. */
export function startLoop(parts: LoopParts): PeerLoop {
  const { record } = parts;
  const { attempts } = parts.pull;
  const wake = createWake();
  const end = new AbortController();
  const done = run();

  async function run(): Promise<void> {
    for (let first = true; !end.signal.aborted; first = false) {
      await round(parts, wake.take(), first, end.signal);
      if (!record.state.lost && !end.signal.aborted) parts.afterPull?.();
      await wake.wait(record.state.lost ? parts.reconnectIntervalMs : parts.intervalMs, end.signal);
    }
    record.ended();
  }

  return {
    get state() {
      return { ...record.state, breaker: attempts.breaker };
    },
    trigger(full) {
      wake.ring({ triggered: true, full });
    },
    tick() {
      wake.ring({ triggered: false, full: false });
    },
    async stop() {
      end.abort();
      await done;
    },
  };
}

async function round(parts: LoopParts, call: Call, first: boolean, signal: AbortSignal): Promise<void> {
  const { record, pull } = parts;
  const regained = record.state.lost && !call.triggered;
  if (regained && !(await answers(pull, signal))) return;
  if (call.triggered || regained) pull.attempts.reset();
  const loud = first || call.triggered || regained;
  record.started(loud);
  try {
    if (call.full) await pull.writer.resetCursor(pull.peer);
    const result = await pullPeer({ ...pull, onSkew: record.skew, onPage: record.page }, signal);
    record.succeeded(result, loud);
  } catch (error) {
    if (signal.aborted) return;
    record.failed(error, loud);
  }
}

/** One question without retries: whether anything at all answers at a lost peer's address. */
async function answers({ client }: LoopParts['pull'], signal: AbortSignal): Promise<boolean> {
  try {
    await client.health(signal);
    return true;
  } catch (error) {
    // Another failure than being out of reach is the pull's to report.
    return !signal.aborted && !(error instanceof SyncError && error.code === 'peer_unreachable');
  }
}
