import { LATENCY_BOUNDS_MS, NO_LATENCIES, sumOfLatencies, type Latencies } from '../apply/latency.js';
import type { ApplyResponse, FoldTally } from '../threads/calls.js';

/** What happened within one second, as `GET /sync/activity` shows it. */
export interface ActiveSecond {
  /** Seconds since 1970. */
  readonly at_s: number;
  /** Changelog entries of the application that were folded. */
  readonly captured: number;
  /** Rows written or deleted here for a change of a peer. */
  readonly applied: number;
  /** Changes in pages that were sent. */
  readonly served: number;
  /** How long the applied changes were on their way; null where none was applied. */
  readonly latency: {
    readonly mean_ms: number;
    /** 95 of 100 took no longer; null: longer than the longest that is told apart, a day. */
    readonly most_ms: number | null;
  } | null;
}

export interface ActivityReport {
  /** This replica's clock. */
  readonly now_s: number;
  /** Oldest first; seconds in which nothing happened are left out. */
  readonly seconds: readonly ActiveSecond[];
}

/** Counts by the second, for as long as charts show. */
export interface Activity {
  folded(tally: FoldTally): void;
  applied(page: Pick<ApplyResponse, 'applied' | 'latencies'>): void;
  served(changes: number): void;
  /** What happened after that second, of what is remembered. */
  report(afterS: number): ActivityReport;
}

/** What is remembered. */
export const ACTIVITY_SECONDS = 300;

/** The share of changes that `most_ms` speaks of. */
const MOST = 0.95;

interface Counted {
  readonly atS: number;
  captured: number;
  applied: number;
  served: number;
  latencies: Latencies;
}

/** Keeps a place for each second and no timer: nothing happens where nothing happens. `now` is in ms since 1970. */
export function createActivity(now: () => number = Date.now): Activity {
  const places: (Counted | undefined)[] = Array.from({ length: ACTIVITY_SECONDS });

  function current(): Counted {
    const atS = Math.floor(now() / 1000);
    const place = atS % ACTIVITY_SECONDS;
    const there = places[place];
    if (there?.atS === atS) return there;
    const fresh = { atS, captured: 0, applied: 0, served: 0, latencies: NO_LATENCIES };
    places[place] = fresh;
    return fresh;
  }

  return {
    folded({ entries }) {
      if (entries > 0) current().captured += entries;
    },
    applied({ applied, latencies }) {
      if (applied === 0) return;
      const second = current();
      second.applied += applied;
      second.latencies = sumOfLatencies([second.latencies, latencies]);
    },
    served(changes) {
      if (changes > 0) current().served += changes;
    },
    report(afterS) {
      const nowS = Math.floor(now() / 1000);
      const firstS = Math.max(afterS, nowS - ACTIVITY_SECONDS) + 1;
      const seconds = places
        .filter((each) => each !== undefined)
        .filter(({ atS }) => atS >= firstS && atS <= nowS)
        .sort((a, b) => a.atS - b.atS);
      return { now_s: nowS, seconds: seconds.map(shown) };
    },
  };
}

function shown({ atS, captured, applied, served, latencies }: Counted): ActiveSecond {
  return { at_s: atS, captured, applied, served, latency: latencyOf(latencies) };
}

function latencyOf({ counts, sumMs }: Latencies): ActiveSecond['latency'] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let below = 0;
  const place = counts.findIndex((count) => (below += count) >= total * MOST);
  return { mean_ms: Math.round(sumMs / total), most_ms: LATENCY_BOUNDS_MS[place] ?? null };
}
