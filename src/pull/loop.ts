import { isCode } from '../errors.js';
import type { BreakerState } from './attempts.js';
import { NOTHING_HEARD, type Answer, type Live } from './live.js';
import { pullPeer, type PullParts } from './pull.js';
import type { PullRecord, PullState } from './state.js';
import { createWake, type Call } from './wake.js';

/** Pulls from one peer for as long as the daemon runs, one pull at a time. */
export interface PeerLoop {
  /** `live`: what the peer has arrives at once. */
  readonly state: PullState & { readonly breaker: BreakerState; readonly live: boolean };
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
  /** Null: nothing is heard of the peer between two pulls. */
  readonly live?: Live | null;
  /** Called after each pull, unless the peer can't be reached. */
  readonly afterPull?: () => void;
}

/** What a round starts with. */
interface Start {
  readonly call: Call;
  readonly first: boolean;
  /** What the peer let us know before. */
  readonly answer: Answer;
  /** The peer was greeted a short while ago. */
  readonly greeted: boolean;
}

/** Who is there, and its clock, are asked again before a pull that the peer asked for, at the latest after this. */
const GREETING_MS = 30_000;

/** Starts at once with a first pull. */
export function startLoop(parts: LoopParts): PeerLoop {
  const { record, live = null } = parts;
  const { attempts } = parts.pull;
  const wake = createWake();
  const end = new AbortController();
  const done = run();

  async function run(): Promise<void> {
    let answer = NOTHING_HEARD;
    let greetedMs = -Infinity;
    for (let first = true; !end.signal.aborted; first = false) {
      const startedMs = performance.now();
      const greeted = answer.heard === 'news' && startedMs - greetedMs < GREETING_MS && !record.state.failing;
      await round(parts, { call: wake.take(), first, answer, greeted }, end.signal);
      if (!greeted) greetedMs = startedMs;
      if (!record.state.lost && !end.signal.aborted) parts.afterPull?.();
      answer = await between();
    }
    record.ended();
  }

  /** Waits until the next pull is due, and tells what was heard meanwhile. */
  async function between(): Promise<Answer> {
    const { lost } = record.state;
    const waitMs = lost ? parts.reconnectIntervalMs : parts.intervalMs;
    const due = new AbortController();
    const listening = live === null || lost ? null : listen(live, due.signal);
    await wake.wait(waitMs, end.signal);
    due.abort();
    return (await listening) ?? NOTHING_HEARD;
  }

  async function listen(to: Live, signal: AbortSignal): Promise<Answer> {
    const answer = await to.listen(signal);
    if (!signal.aborted) wake.ring({ triggered: false, full: false });
    return answer;
  }

  return {
    get state() {
      const { state } = record;
      const isLive = (live?.on ?? false) && !state.lost && !state.failing;
      return { ...state, breaker: attempts.breaker, live: isLive };
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

async function round(
  parts: LoopParts,
  { call, first, answer: { heard, given }, greeted }: Start,
  signal: AbortSignal,
): Promise<void> {
  const { record, pull, live = null } = parts;
  const regained = record.state.lost && !call.triggered;
  if (regained && !(await answers(pull, signal))) return;
  if (call.triggered || regained) pull.attempts.reset();
  const loud = first || call.triggered || regained;
  let named = 0;
  const onPage: PullParts['onPage'] = (page) => {
    named += page.named;
    record.page(page);
  };
  record.started(first || call.triggered);
  try {
    if (call.full) await pull.writer.resetCursor(pull.peer);
    const answeredLast = !first && !regained && !record.state.failing;
    const told = loud ? { answeredLast } : { answeredLast, greeted, prompt: heard === 'news', given };
    const result = await pullPeer({ ...pull, ...told, onSkew: record.skew, onPage }, signal);
    record.succeeded(result, loud, heard === 'news');
    live?.pulled({ ...result, named }, heard);
    if (regained) live?.reset();
  } catch (error) {
    if (signal.aborted) return;
    record.failed(error, loud);
    live?.failed();
  }
}

/** One question without retries: whether anything at all answers at a lost peer's address. */
async function answers({ client }: LoopParts['pull'], signal: AbortSignal): Promise<boolean> {
  try {
    await client.health(signal);
    return true;
  } catch (error) {
    // Another failure than being out of reach is the pull's to report.
    return !signal.aborted && !isCode(error, 'peer_unreachable');
  }
}
