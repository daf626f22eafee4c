import { changeWords, differences, insertWords, spread, withApp } from '../app.js';
import { firstSync, type Bench, type Measure } from '../bench.js';
import { interleave, timed } from '../interleave.js';
import { outcome, type Figure } from '../outcome.js';
import { createReplicas, requireAllEqual, stopAll, type BenchReplica, type Peers } from '../replicas.js';
import { words } from '../workload.js';

const FEW_ROWS = 1000;

/** What the application writes at one end of a group. */
const GROUP_ROWS = 1000;

/** What is changed on both sides of a partition. */
const PARTITION_ROWS = 10_000;
const PARTITION_CHANGES = 1000;

/** No side waits for its schedule long. */
const INTERVAL = '1s';
/** So many replicas share a second of the interval: the pulls that bring nothing must not be all that a machine does. */
const PER_SECOND = 25;
const POLL_MS = 50;

export const measure: Measure = {
  number: 12,
  title: 'other sizes, groups and partitions',
  quick: false,
  async run(bench) {
    const figures = [await fewRows(bench), await manyRows(bench)];
    for (const count of bench.sizes.groups) {
      figures.push(await group(bench, `${count} replicas in a star`, star(count)));
      figures.push(await group(bench, `${count} replicas in a chain`, chain(count)));
    }
    return [...figures, await partition(bench)];
  },
};

async function fewRows(bench: Bench): Promise<Figure> {
  const sides = { ours: () => bench.withPair((ann, bob) => firstSync(ann, bob, FEW_ROWS)) };
  const { ours } = await interleave(bench.sizes.runs, sides, bench.say);
  return alone(`first sync of ${FEW_ROWS} rows`, 'ms', ours);
}

async function manyRows(bench: Bench): Promise<Figure> {
  const { large } = bench.sizes;
  const { firstSyncMs } = await bench.synced(large);
  return alone(`first sync of ${large} rows`, 'ms', [firstSyncMs]);
}

/** From the application's commit at the first replica until all have the rows, each pulling by its own schedule. */
async function group(bench: Bench, what: string, peers: Peers): Promise<Figure> {
  const interval = `${Math.ceil(Object.keys(peers).length / PER_SECOND)}s`;
  const replicas = await createReplicas(bench.folder(), peers, { interval });
  const [first] = replicas;
  if (first === undefined) throw new TypeError('Expected a replica');
  try {
    for (const replica of replicas) await replica.start();
    const all = words(GROUP_ROWS);
    withApp(first.database, (database) => {
      insertWords(database, all);
    });
    const elapsedMs = await timed(() => countsReach(replicas, GROUP_ROWS));
    requireAllEqual(replicas);
    bench.say(`${what}: ${elapsedMs.toFixed(0)} ms`);
    return alone(`${GROUP_ROWS} rows to all of ${what}, interval ${interval}`, 'ms', [elapsedMs]);
  } finally {
    await stopAll(replicas);
  }
}

/** All pull from the first, which pulls from all. */
function star(count: number): Peers {
  const [center = '', ...points] = names(count);
  return { [center]: points, ...Object.fromEntries(points.map((point) => [point, [center]])) };
}

/** Each pulls from its neighbours. */
function chain(count: number): Peers {
  const all = names(count);
  return Object.fromEntries(
    all.map((name, at) => [name, [all[at - 1], all[at + 1]].filter((neighbour) => neighbour !== undefined)]),
  );
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `n${at + 1}`);
}

/** Both sides change rows while neither runs; from the start of the daemons until both are proven equal. */
async function partition(bench: Bench): Promise<Figure> {
  const peers = { ann: ['bob'], bob: ['ann'] };
  const replicas = await createReplicas(bench.folder(), peers, { interval: INTERVAL });
  try {
    for (const { database } of replicas) {
      withApp(database, (opened) => {
        insertWords(opened, words(PARTITION_ROWS));
      });
    }
    await startAll(replicas);
    await equal(replicas);
    const run = async (round: number) => {
      await stopAll(replicas);
      for (const [side, { database }] of replicas.entries()) {
        const numbers = spread(PARTITION_CHANGES, PARTITION_ROWS).map((number) => number + side);
        withApp(database, (opened) => {
          changeWords(opened, numbers, round);
        });
      }
      return timed(async () => {
        await startAll(replicas);
        await equal(replicas);
      });
    };
    let round = 0;
    const { ours } = await interleave(bench.sizes.runs, { ours: () => run((round += 1)) }, bench.say);
    const what = `to proven equality after a partition, ${PARTITION_CHANGES} changes on both sides, daemons' start included`;
    return alone(what, 'ms', ours);
  } finally {
    await stopAll(replicas);
  }
}

async function startAll(replicas: readonly BenchReplica[]): Promise<void> {
  await Promise.all(replicas.map((replica) => replica.start()));
}

async function countsReach(replicas: readonly BenchReplica[], rows: number): Promise<void> {
  for (const { database } of replicas) {
    const count = () =>
      withApp(database, (opened) => opened.prepare('SELECT count(*) FROM words').pluck().get() as number);
    while (count() < rows) await pause();
  }
}

async function equal(replicas: readonly BenchReplica[]): Promise<void> {
  while (!isEqual(replicas)) await pause();
}

function isEqual([first, ...others]: readonly BenchReplica[]): boolean {
  return others.every((other) => first !== undefined && differences(first.database, other.database) === 0);
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

function alone(what: string, unit: string, values: readonly number[]): Figure {
  return outcome(12, { what, unit, ours: { name: 'ours', values } });
}
