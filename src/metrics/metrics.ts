import { collectDefaultMetrics, Registry } from 'prom-client';
import type { MetricsText } from '../feed/meter.js';
import { createActivity, type ActivityReport } from './activity.js';
import { createCounters, type Counters } from './counters.js';
import { createGauges, type GaugedStatus } from './gauges.js';

/** What one replica tells Prometheus and the dashboard; two replicas in one process share nothing but the process's own. */
export interface Metrics extends Counters {
  /** The answer of `GET /metrics`. */
  text(status: GaugedStatus): Promise<MetricsText>;
  /** What happened in the seconds after that one, of the last minutes. */
  activity(afterS: number): ActivityReport;
}

/** `peers` are the node ids of those configured. */
export function createMetrics(peers: readonly string[]): Metrics {
  const registry = new Registry();
  const setGauges = createGauges(registry);
  const counters = createCounters(registry);
  const activity = createActivity();
  for (const peer of peers) counters.knows(peer);
  let watchesProcess = false;
  return {
    ...counters,
    folded(tally) {
      counters.folded(tally);
      activity.folded(tally);
    },
    applied(peer, page) {
      counters.applied(peer, page);
      activity.applied(page);
    },
    served(changes) {
      counters.served(changes);
      activity.served(changes);
    },
    activity: (afterS) => activity.report(afterS),
    async text(status) {
      // It watches the event loop a hundred times a second: nothing for a replica that nobody asks.
      if (!watchesProcess) collectDefaultMetrics({ register: registry });
      watchesProcess = true;
      setGauges(status);
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
