import { sum, type PullResult } from './pull.js';

/** Pulls that follow each other within this are said in one line. */
const GATHER_MS = 1_000;

/** Pulls that may follow each other many times a second: the first is said at once, those after it once a second, as one. */
export interface GatheredPulls {
  add(result: PullResult): void;
  /** Says what was not said yet. */
  flush(): void;
}

export function gatherPulls(say: (sum: PullResult) => void, gatherMs = GATHER_MS): GatheredPulls {
  let open: PullResult | null = null;
  let timer: NodeJS.Timeout | undefined;

  /** What comes within this time from now is said when it is over. */
  function wait(): void {
    timer = setTimeout(() => {
      timer = undefined;
      if (open !== null) wait();
      tell();
    }, gatherMs);
    timer.unref();
  }

  function tell(): void {
    const said = open;
    open = null;
    if (said !== null) say(said);
  }

  return {
    add(result) {
      const durationMs = (open?.durationMs ?? 0) + result.durationMs;
      open = open === null ? result : { ...sum(open, result), durationMs };
      if (timer !== undefined) return;
      wait();
      tell();
    },
    flush() {
      clearTimeout(timer);
      timer = undefined;
      tell();
    },
  };
}
