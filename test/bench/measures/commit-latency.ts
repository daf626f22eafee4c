import { insertWords, withApp } from '../app.js';
import type { Bench, Measure } from '../bench.js';
import { interleave } from '../interleave.js';
import { outcome, percentile } from '../outcome.js';
import { startScript, type Asked } from '../programs.js';
import type { BenchReplica } from '../replicas.js';
import { words } from '../workload.js';

/** How long the application writes beside an idle daemon. */
const IDLE_MS = 5000;

/** The goal of p99 and p99.9, as a multiple of what they are beside an idle daemon. */
const AT_MOST = 10;

interface Latency {
  readonly p99: number;
  readonly p999: number;
}

export const measure: Measure = {
  number: 9,
  title: "the application's commits while changes are applied",
  quick: false,
  async run(bench) {
    const { rows, runs } = bench.sizes;
    const writer = await startScript('apps/commits.ts', []);
    const found = { busy: [] as Latency[], idle: [] as Latency[] };
    const keep =
      (side: keyof typeof found, work: (ann: BenchReplica, bob: BenchReplica) => Promise<unknown>) =>
      async () => {
        const latency = await latencyDuring(bench, writer, work);
        found[side].push(latency);
        return latency.p99;
      };
    const pause = () => new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const arrive = async (ann: BenchReplica, bob: BenchReplica) => {
      withApp(ann.database, (database) => {
        insertWords(database, words(rows));
      });
      await bob.pullRows('ann', rows);
    };
    try {
      await interleave(runs, { busy: keep('busy', arrive), idle: keep('idle', pause) }, bench.say);
    } finally {
      await writer.end();
    }
    return (['p99', 'p999'] as const).map((which) =>
      outcome(9, {
        what: `${which === 'p99' ? 'p99' : 'p99.9'} of commits while ${rows} rows are applied, beside an idle daemon`,
        unit: 'ms',
        ours: { name: 'applying', values: found.busy.map((latency) => latency[which]) },
        beside: { name: 'idle', values: found.idle.map((latency) => latency[which]) },
        goal: { atMost: AT_MOST },
      }),
    );
  },
};

/** The latency of an application's commits on bob while something goes on. */
async function latencyDuring(
  bench: Bench,
  writer: Asked,
  work: (ann: BenchReplica, bob: BenchReplica) => Promise<unknown>,
): Promise<Latency> {
  return bench.withPair(async (ann, bob) => {
    // keys that no row of ann's has
    await writer.ask(`go ${bob.database} ${bench.sizes.rows}`);
    await work(ann, bob);
    const latencies = JSON.parse(await writer.ask('stop')) as number[];
    return { p99: percentile(latencies, 0.99), p999: percentile(latencies, 0.999) };
  });
}
