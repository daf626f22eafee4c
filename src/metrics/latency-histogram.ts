import type { Metric, Registry } from 'prom-client';
import { LATENCY_BOUNDS_MS, NO_LATENCIES, sumOfLatencies, type Latencies } from '../apply/latency.js';

/** A histogram by peer of what was counted elsewhere. */
export interface LatencyHistogram {
  add(peer: string, latencies: Latencies): void;
}

/** Upper bounds of the buckets as Prometheus wants them, s. */
const BOUNDS = [...LATENCY_BOUNDS_MS.map((boundMs) => boundMs / 1000), '+Inf'] as const;

/**
 * The library's own histogram takes one observation at a time, on the thread that serves HTTP, and a page holds
 * thousands: this one takes them counted.
 */
export function createLatencyHistogram(
  registry: Registry,
  { name, help }: { readonly name: string; readonly help: string },
): LatencyHistogram {
  const byPeer = new Map<string, Latencies>();
  const metric = {
    name,
    get: () => {
      const values = [...byPeer].flatMap(([peer, latencies]) => samplesOf(name, peer, latencies));
      return Promise.resolve({ name, help, type: 'histogram', aggregator: 'sum', values });
    },
    reset: () => {
      byPeer.clear();
    },
  };
  // Of a metric the registry asks no more than this.
  registry.registerMetric(metric as unknown as Metric);
  return {
    add(peer, latencies) {
      byPeer.set(peer, sumOfLatencies([byPeer.get(peer) ?? NO_LATENCIES, latencies]));
    },
  };
}

function samplesOf(name: string, peer: string, { counts, sumMs }: Latencies) {
  let total = 0;
  const buckets = BOUNDS.map((le, place) => {
    total += counts[place] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le, peer }, value: total };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: { peer }, value: sumMs / 1000 },
    { metricName: `${name}_count`, labels: { peer }, value: total },
  ];
}
