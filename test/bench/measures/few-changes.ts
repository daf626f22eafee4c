import { changeWords, spread, withApp } from '../app.js';
import type { Bench, Measure, SyncedPair } from '../bench.js';
import { interleave } from '../interleave.js';
import { median, outcome, type Figure } from '../outcome.js';
import { withPeer } from '../peers.js';
import { requireAllEqual } from '../replicas.js';

const CHANGES = 100;

/** One change of so few rows is over in some ms: a run makes several, and its figure is their median. */
const PER_RUN = 7;

export const bySize: Measure = {
  number: 5,
  title: `${CHANGES} changed rows, large against small database`,
  quick: true,
  async run(bench) {
    const { runs, small, large } = bench.sizes;
    const pairs = { ours: await bench.synced(large), small: await bench.synced(small) };
    const sides = { ours: syncRun(pairs.ours, large), small: syncRun(pairs.small, small) };
    await sides.ours();
    await sides.small();
    const figures = await interleave(runs, sides, bench.say);
    for (const { ann, bob } of Object.values(pairs)) requireAllEqual([ann, bob]);
    return [
      outcome(5, {
        what: `${CHANGES} changed rows in ${large} rows, beside in ${small}`,
        unit: 'ms',
        ours: { name: `in ${large}`, values: figures.ours },
        beside: { name: `in ${small}`, values: figures.small },
        goal: { atMost: 1.2 },
      }),
    ];
  },
};

export const besideCrsqlite: Measure = {
  number: 6,
  title: `${CHANGES} changed rows, beside cr-sqlite`,
  quick: false,
  async run(bench) {
    const { rows } = bench.sizes;
    const what = `${CHANGES} changed rows in ${rows} rows, beside cr-sqlite in process`;
    const found = await withPeer(bench, 'crsqlite', [bench.source(rows)], async (crsqlite) => {
      await crsqlite.ask('sync');
      return compare(bench, what, async () => Number(await crsqlite.ask(`change ${CHANGES} ${PER_RUN}`)));
    });
    return [typeof found === 'string' ? { measure: 6, what, notMeasured: found } : found];
  },
};

async function compare(bench: Bench, what: string, theirs: () => Promise<number>): Promise<Figure> {
  const { rows, runs } = bench.sizes;
  const ours = syncRun(await bench.synced(rows), rows);
  await ours();
  const figures = await interleave(runs, { ours, crsqlite: theirs }, bench.say);
  return outcome(6, {
    what,
    unit: 'ms',
    ours: { name: 'ours', values: figures.ours },
    beside: { name: 'cr-sqlite', values: figures.crsqlite },
    goal: { atMost: 1.5 },
    note: 'ours by HTTP between two processes, cr-sqlite from memory to memory within one',
  });
}

/** Changes some rows on ann, again and again, and gives the median of how long bob needs to have them, in ms. */
function syncRun({ ann, bob }: SyncedPair, rows: number): () => Promise<number> {
  let round = 0;
  const numbers = spread(CHANGES, rows);
  return async () => {
    const elapsedMs: number[] = [];
    for (let time = 0; time < PER_RUN; time += 1) {
      round += 1;
      withApp(ann.database, (database) => {
        changeWords(database, numbers, round);
      });
      const started = performance.now();
      await bob.pullRows('ann', CHANGES);
      elapsedMs.push(performance.now() - started);
    }
    return median(elapsedMs);
  };
}
