import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { firstSync, type Bench, type Measure } from '../bench.js';
import { interleave } from '../interleave.js';
import { outcome, type Figure, type Goal } from '../outcome.js';
import { withPeer } from '../peers.js';
import { startFloor } from '../programs.js';

const LARGE_PAGE = 10_000;
const SMALL_PAGE = 1000;

/** PouchDB takes too long for more. */
const POUCHDB_SHARE = 0.2;

/** How many times faster than cr-sqlite. */
const FASTER = 6;

export const measure: Measure = {
  number: 4,
  title: 'first sync over HTTP',
  quick: true,
  async run(bench) {
    return [
      ...(await besideFloor(bench)),
      await besideCrsqlite(bench),
      await besideSession(bench),
      await besidePouchdb(bench),
    ];
  },
};

async function besideFloor(bench: Bench): Promise<Figure[]> {
  const { rows, firstSyncRuns } = bench.sizes;
  const source = bench.source(rows);
  const sides = {
    ours: ourRun(bench, rows),
    large: () => floorRun(bench, source, LARGE_PAGE),
    small: () => floorRun(bench, source, SMALL_PAGE),
  };
  const { ours, large, small } = await interleave(firstSyncRuns, sides, bench.say);
  const beside = (page: number, values: readonly number[], goal?: Goal) =>
    outcome(4, {
      what: `first sync of ${rows} rows, beside bare pages of ${page}`,
      unit: 'ms',
      ours: { name: 'ours', values: ours },
      beside: { name: 'floor', values },
      ...(goal === undefined ? {} : { goal }),
    });
  return [beside(LARGE_PAGE, large, { atMost: 1.6, soFar: 2.2 }), beside(SMALL_PAGE, small)];
}

/** In new processes for each run, as ours is: what has run before is compiled already. */
async function floorRun(bench: Bench, source: string, page: number): Promise<number> {
  const floor = await startFloor(source);
  const folder = bench.folder();
  try {
    return await floor.pull(join(folder, 'floor.db'), page);
  } finally {
    await floor.end();
    rmSync(folder, { recursive: true });
  }
}

function besideCrsqlite(bench: Bench): Promise<Figure> {
  const { rows } = bench.sizes;
  const what = `first sync of ${rows} rows, beside cr-sqlite in process`;
  const goal = { atMost: 1 / FASTER };
  return besidePeer(bench, { what, peer: 'cr-sqlite', rows, goal }, () =>
    // a process for each run, since its databases are in memory
    withPeer(bench, 'crsqlite', [bench.source(rows)], async (crsqlite) => Number(await crsqlite.ask('sync'))),
  );
}

async function besideSession(bench: Bench): Promise<Figure> {
  const { rows } = bench.sizes;
  const what = `first sync of ${rows} rows, beside SQLite's session extension in process`;
  const args = [bench.source(rows), bench.folder()];
  const found = await withPeer(bench, 'session', args, (session) =>
    besidePeer(bench, { what, peer: 'session', rows }, async () => Number(await session.ask('sync'))),
  );
  return typeof found === 'string' ? { measure: 4, what, notMeasured: found } : found;
}

async function besidePouchdb(bench: Bench): Promise<Figure> {
  const rows = Math.round(bench.sizes.rows * POUCHDB_SHARE);
  const what = `first sync of ${rows} rows, beside PouchDB over HTTP with documents`;
  const server = [bench.source(rows), bench.folder(), String(rows)];
  const found = await withPeer(bench, 'pouchdb-server', server, ({ first: port }) =>
    withPeer(bench, 'pouchdb', [port, bench.folder(), String(rows)], (pouchdb) =>
      besidePeer(bench, { what, peer: 'PouchDB', rows }, async () => Number(await pouchdb.ask('sync'))),
    ),
  );
  return typeof found === 'string' ? { measure: 4, what, notMeasured: found } : found;
}

interface Comparison {
  readonly what: string;
  readonly peer: string;
  readonly rows: number;
  readonly goal?: Goal;
}

async function besidePeer(
  bench: Bench,
  { what, peer, rows, goal }: Comparison,
  theirs: () => Promise<number | string>,
): Promise<Figure> {
  if (typeof bench.peers === 'string') return { measure: 4, what, notMeasured: bench.peers };
  bench.say(what);
  const sides = { ours: ourRun(bench, rows), theirs: async () => Number(await theirs()) };
  const figures = await interleave(bench.sizes.runs, sides, bench.say);
  return outcome(4, {
    what,
    unit: 'ms',
    ours: { name: 'ours', values: figures.ours },
    beside: { name: peer, values: figures.theirs },
    ...(goal === undefined ? {} : { goal }),
  });
}

function ourRun(bench: Bench, rows: number) {
  return () => bench.withPair((ann, bob) => firstSync(ann, bob, rows));
}
