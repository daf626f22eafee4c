import { setTimeout as pause } from 'node:timers/promises';
import type { Bench, Measure } from '../bench.js';
import { interleave } from '../interleave.js';
import { outcome, percentile, type Figure } from '../outcome.js';
import { withPeer } from '../peers.js';
import { startScript } from '../programs.js';
import { createReplicas, stopAll, type BenchReplica } from '../replicas.js';

/** Commits of one run, one after the other, each so long after the one before was seen. */
const COMMITS = 100;
const MIN_PAUSE_MS = 30;
const MAX_PAUSE_MS = 80;
/** Before the first of them: what a start has to do is done. */
const SETTLE_MS = 2_000;
/** Before an idle daemon is measured: V8 gives back what a start took, which computes for half a minute now and then. */
const IDLE_SETTLE_MS = 30_000;

const IDLE_PEERS = ['bob', 'cid', 'dan', 'eve', 'fay'] as const;
const IDLE_MS = 20_000;
/** % of a core. */
const MAX_IDLE = 1;

/** Commits the row of this number on one side, and resolves when it is seen on the other: the time between, in ms. */
type Commit = (number: number) => Promise<number>;

export const measure: Measure = {
  number: 13,
  title: 'live: from a commit until it is seen at the peer, and what waiting costs',
  quick: false,
  async run(bench) {
    return [...(await latency(bench)), await idle(bench)];
  },
};

async function latency(bench: Bench): Promise<Figure[]> {
  const found = await withPouchDB(bench, (theirs) =>
    withOurs(bench, async (ours) => {
      const latencies = { ours: [] as number[][], pouchdb: [] as number[][] };
      let first = 0;
      const run = (side: keyof typeof latencies, commit: Commit) => async () => {
        const values = await commits(commit, (first += COMMITS));
        latencies[side].push(values);
        return percentile(values, 0.5);
      };
      const sides = { ours: run('ours', ours), pouchdb: run('pouchdb', theirs) };
      await interleave(bench.sizes.runs, sides, bench.say);
      return latencies;
    }),
  );
  return ([0.5, 0.99] as const).map((share) => {
    const what = `p${share * 100} from a commit by another program until it is seen at the peer, beside PouchDB's live replication`;
    if (typeof found === 'string') return { measure: 13, what, notMeasured: found };
    const of = (runs: number[][]) => runs.map((values) => percentile(values, share));
    return outcome(13, {
      what,
      unit: 'ms',
      ours: { name: 'ours', values: of(found.ours) },
      beside: { name: 'PouchDB', values: of(found.pouchdb) },
      goal: { atMost: 0.5 },
    });
  });
}

async function commits(commit: Commit, first: number): Promise<number[]> {
  const values: number[] = [];
  for (let number = first; number < first + COMMITS; number += 1) {
    await pause(MIN_PAUSE_MS + Math.random() * (MAX_PAUSE_MS - MIN_PAUSE_MS));
    values.push(await commit(number));
  }
  return values;
}

async function withOurs<T>(bench: Bench, work: (commit: Commit) => Promise<T>): Promise<T> {
  const replicas = await createReplicas(bench.folder(), { ann: [], bob: ['ann'] }, { live: true });
  const [ann, bob] = replicas as [BenchReplica, BenchReplica];
  const writer = await startScript('apps/one-commit.ts', []);
  const reader = await startScript('apps/look-for.ts', []);
  try {
    await ann.start();
    await bob.start();
    await bob.live();
    await pause(SETTLE_MS);
    return await work(async (number) => {
      const seen = reader.ask(`${bob.database} ${number}`);
      const committedMs = Number(await writer.ask(`${ann.database} ${number}`));
      return Number(await seen) - committedMs;
    });
  } finally {
    await writer.end();
    await reader.end();
    await stopAll(replicas);
  }
}

async function withPouchDB<T>(bench: Bench, work: (commit: Commit) => Promise<T>): Promise<T | string> {
  const folder = bench.folder();
  const { rows } = bench.sizes;
  return withPeer(bench, 'pouchdb-server', [bench.source(rows), folder, '0'], async (server) =>
    withPeer(bench, 'pouchdb-live', [server.first, folder], (client) =>
      work(async (number) => {
        const [id = '', committedMs] = (await server.ask(String(number))).split(' ');
        return Number(await client.ask(id)) - Number(committedMs);
      }),
    ),
  );
}

/** A daemon with five peers that all hold questions at it, and it at them, while nothing is written. */
async function idle(bench: Bench): Promise<Figure> {
  const peers = {
    ann: IDLE_PEERS,
    ...Object.fromEntries(IDLE_PEERS.map((name) => [name, ['ann']])),
  };
  const replicas = await createReplicas(bench.folder(), peers, { live: true, interval: '30s' });
  const [ann] = replicas as [BenchReplica];
  try {
    for (const replica of replicas) await replica.start();
    for (const replica of replicas) await replica.live();
    await pause(IDLE_SETTLE_MS);
    const shares: number[] = [];
    for (let run = 0; run < bench.sizes.runs; run += 1) {
      const before = { atMs: performance.now(), computedMs: ann.computedMs() };
      await pause(IDLE_MS);
      shares.push(((ann.computedMs() - before.computedMs) / (performance.now() - before.atMs)) * 100);
      bench.say(`idle: ${shares.at(-1)?.toFixed(2) ?? ''} % of a core`);
    }
    return outcome(13, {
      what: `an idle daemon with ${IDLE_PEERS.length} live peers, over ${IDLE_MS / 1000} s`,
      unit: '% of a core',
      ours: { name: 'ours', values: shares },
      goal: { atMost: MAX_IDLE },
    });
  } finally {
    await stopAll(replicas);
  }
}
