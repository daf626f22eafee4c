import { statSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { createApp, insertWords, withApp } from '../app.js';
import type { Bench, Measure } from '../bench.js';
import { outcome, type Figure } from '../outcome.js';
import { startScript } from '../programs.js';
import { createReplicas, type BenchReplica } from '../replicas.js';
import { words } from '../workload.js';

const ROUNDS = 20;

/** How often it is looked whether the fold is done. */
const POLL_MS = 20;

/** Inserted rows always give the same file. After the updates it depends on how far the application got ahead of the fold. */
export const measure: Measure = {
  number: 7,
  title: 'file size',
  quick: true,
  async run(bench) {
    const folder = bench.folder();
    const [ann] = await createReplicas(folder, { ann: [] });
    if (ann === undefined) throw new TypeError('Expected a replica');
    const plain = join(folder, 'plain.db');
    createApp(plain);
    return [await inserted(bench, ann, plain), await updated(bench, ann, plain)];
  },
};

async function inserted(bench: Bench, ann: BenchReplica, plain: string): Promise<Figure> {
  const all = words(bench.sizes.rows);
  for (const file of [ann.database, plain]) {
    withApp(file, (database) => {
      insertWords(database, all);
    });
  }
  await ann.start();
  await foldDone(ann);
  await ann.stop();
  return sizes(`file after ${bench.sizes.rows} rows were inserted and folded`, ann, plain, 1.5);
}

async function updated(bench: Bench, ann: BenchReplica, plain: string): Promise<Figure> {
  const app = await startScript('apps/updates.ts', []);
  try {
    await ann.start();
    for (const file of [ann.database, plain]) await app.ask(`${file} ${bench.sizes.rows} ${ROUNDS}`);
    await foldDone(ann);
  } finally {
    await ann.stop();
    await app.end();
  }
  const what = `file after each of ${bench.sizes.rows} rows was updated ${ROUNDS} times beside the daemon`;
  return sizes(what, ann, plain, 1.7);
}

/** Resolves when the daemon has folded all that was captured. */
async function foldDone(replica: BenchReplica): Promise<void> {
  const database = new BetterSqlite3(replica.database, { readonly: true });
  try {
    const raw = database.prepare(
      'SELECT EXISTS (SELECT 1 FROM _sync_changes WHERE origin IS NULL AND id > (SELECT folded FROM _sync_replica))',
    );
    while (raw.pluck().get() === 1) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  } finally {
    database.close();
  }
}

function sizes(what: string, ann: BenchReplica, plain: string, atMost: number): Figure {
  return outcome(7, {
    what,
    unit: 'MB',
    ours: { name: 'replica', values: [megabytesOf(ann.database)] },
    beside: { name: 'plain', values: [megabytesOf(plain)] },
    goal: { atMost },
  });
}

function megabytesOf(file: string): number {
  withApp(file, (database) => database.pragma('wal_checkpoint(TRUNCATE)'));
  return statSync(file).size / 1e6;
}
