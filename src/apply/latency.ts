import { parseInstance } from '../wire/instance.js';
import type { Change } from '../wire/change.js';

/** Upper bounds of the buckets that latencies are counted in, ms. */
export const LATENCY_BOUNDS_MS = [
  10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 3_600_000, 86_400_000,
] as const;

/**
 * How long applied changes were on their way, from their stamp to here: counted where they are applied, since a page
 * holds thousands of them.
 */
export interface Latencies {
  /** Changes by bucket; the last one, which has no bound, holds those above all. */
  readonly counts: readonly number[];
  readonly sumMs: number;
}

export const NO_LATENCIES: Latencies = { counts: LATENCY_BOUNDS_MS.map(() => 0).concat(0), sumMs: 0 };

/** What a latency is measured by. */
export interface LatencyClock {
  /** ms since 1970, when the part began. */
  readonly nowMs: number;
  /** A clock that only goes forward, ms. */
  readonly elapsedMs: () => number;
  /** How far clocks are ahead of ours in ms, by node id, where that is known; others are taken as right. */
  readonly skewsMs?: Readonly<Record<string, number>>;
}

/** Counts what a part of a page applies, beginning with what the parts before it have counted. */
export class LatencyTally {
  private readonly counts: number[];
  private sumMs: number;
  private readonly startedMs: number;
  /** By origin. */
  private readonly skews = new Map<string, number>();

  constructor(
    before: Latencies,
    private readonly clock: LatencyClock,
  ) {
    this.counts = [...before.counts];
    this.sumMs = before.sumMs;
    this.startedMs = clock.elapsedMs();
  }

  /** The change was applied now. A stamp that lies ahead of our clock counts as no time at all. */
  note({ version }: Pick<Change, 'version'>): void {
    const { nowMs, elapsedMs } = this.clock;
    const writtenMs = version.stamp - this.skewOf(version.origin);
    const latencyMs = Math.max(0, nowMs + elapsedMs() - this.startedMs - writtenMs);
    const bucket = LATENCY_BOUNDS_MS.findIndex((boundMs) => latencyMs <= boundMs);
    const place = bucket < 0 ? LATENCY_BOUNDS_MS.length : bucket;
    this.counts[place] = (this.counts[place] ?? 0) + 1;
    this.sumMs += latencyMs;
  }

  get sum(): Latencies {
    return { counts: this.counts, sumMs: this.sumMs };
  }

  private skewOf(origin: string): number {
    const known = this.skews.get(origin);
    if (known !== undefined) return known;
    const skewMs = this.clock.skewsMs?.[parseInstance(origin)?.node ?? ''] ?? 0;
    this.skews.set(origin, skewMs);
    return skewMs;
  }
}

export function sumOfLatencies(all: readonly Latencies[]): Latencies {
  return all.reduce(
    (total, { counts, sumMs }) => ({
      counts: total.counts.map((count, place) => count + (counts[place] ?? 0)),
      sumMs: total.sumMs + sumMs,
    }),
    NO_LATENCIES,
  );
}
