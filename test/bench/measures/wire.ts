import { gzipSync } from 'node:zlib';
import { changeWords, insertWords, spread, withApp } from '../app.js';
import type { Bench, Measure } from '../bench.js';
import { startProxy } from '../counting-proxy.js';
import { outcome, type Figure } from '../outcome.js';
import { createReplicas, requireAllEqual, stopAll, type BenchReplica } from '../replicas.js';
import { words } from '../workload.js';

/** Of the rows, so many are changed for the bytes. */
const CHANGED_SHARE = 0.1;

const MESH = ['ann', 'bob', 'cid', 'dan', 'eve'] as const;
const MESH_CHANGES = 10_000;
/** The applications of the mesh write in transactions of this many rows, one after the other. */
const MESH_TRANSACTION = 100;
const MESH_PAUSE_MS = 200;

export const measure: Measure = {
  number: 8,
  title: 'bytes and rows on the wire',
  quick: false,
  async run(bench) {
    return [await bytesPerRow(bench), await meshRows(bench)];
  },
};

async function bytesPerRow(bench: Bench): Promise<Figure> {
  const { rows } = bench.sizes;
  const changed = Math.round(rows * CHANGED_SHARE);
  const [first] = await createReplicas(bench.folder(), { ann: [] });
  if (first === undefined) throw new TypeError('Expected a replica');
  const proxy = await startProxy(Number(new URL(first.address).port));
  const through = { addressOf: () => `127.0.0.1:${proxy.port}`, compression: 'always' } as const;
  const [second] = await createReplicas(bench.folder(), { bob: ['ann'] }, through);
  if (second === undefined) throw new TypeError('Expected a replica');
  try {
    await first.start();
    await second.start();
    withApp(first.database, (database) => {
      insertWords(database, words(rows));
    });
    await second.pullRows('ann', rows);
    const numbers = spread(changed, rows);
    withApp(first.database, (database) => {
      changeWords(database, numbers, 1);
    });
    proxy.take();
    await second.pullRows('ann', changed);
    const bytes = proxy.take();
    requireAllEqual([first, second]);
    return outcome(8, {
      what: `bytes per row, ${changed} of ${rows} rows changed, beside gzip of these rows as JSON lines`,
      unit: 'bytes',
      ours: { name: 'on the wire', values: [bytes / changed] },
      beside: { name: 'gzip', values: [zippedLines(first, changed) / changed] },
      goal: { atMost: 1.2 },
      note: 'both directions, headers and checksums included',
    });
  } finally {
    await stopAll([second, first]);
    await proxy.end();
  }
}

/** The rows that were changed last, in the order in which they are sent, as one compressed text. */
function zippedLines({ database }: BenchReplica, changed: number): number {
  const rows = withApp(database, (opened) =>
    opened.prepare('SELECT * FROM words ORDER BY updated_at DESC LIMIT ?').all(changed),
  );
  return gzipSync(rows.map((row) => `${JSON.stringify(row)}\n`).join('')).length;
}

/** Five replicas that all hear of all at once, and pull on their own schedule too, while five applications write. */
async function meshRows(bench: Bench): Promise<Figure> {
  const others = (name: string) => MESH.filter((peer) => peer !== name);
  const peers = Object.fromEntries(MESH.map((name) => [name, others(name)]));
  const replicas = await createReplicas(bench.folder(), peers, { interval: '1s', live: true });
  try {
    for (const replica of replicas) await replica.start();
    // Who meets a peer for the first time compares everything with it, whatever it has from others.
    for (const replica of replicas) for (const peer of others(replica.name)) await replica.pull(peer);
    const each = MESH_CHANGES / MESH.length;
    for (let at = 0; at < each; at += MESH_TRANSACTION) {
      for (const [index, { database }] of replicas.entries()) {
        withApp(database, (opened) => {
          insertWords(opened, words(MESH_TRANSACTION, index * each + at));
        });
      }
      await new Promise((resolve) => setTimeout(resolve, MESH_PAUSE_MS));
    }
    await allHave(replicas, MESH_CHANGES);
    requireAllEqual(replicas);
    // What live pulls brought within a second is counted by the line that follows it.
    for (const replica of replicas) for (const peer of others(replica.name)) await replica.pull(peer);
    const transferred = replicas.reduce((sum, replica) => sum + replica.received(), 0);
    return outcome(8, {
      what: `rows transferred in a full mesh of ${MESH.length}, ${MESH_CHANGES} changes, beside each once to each`,
      unit: 'rows',
      ours: { name: 'transferred', values: [transferred] },
      beside: { name: 'ideal', values: [MESH_CHANGES * (MESH.length - 1)] },
      goal: { atMost: 1.1 },
    });
  } finally {
    await stopAll(replicas);
  }
}

async function allHave(replicas: readonly BenchReplica[], rows: number): Promise<void> {
  const count = ({ database }: BenchReplica) =>
    withApp(database, (opened) => opened.prepare('SELECT count(*) FROM words').pluck().get() as number);
  while (replicas.some((replica) => count(replica) < rows)) {
    await new Promise((resolve) => setTimeout(resolve, MESH_PAUSE_MS));
  }
}
