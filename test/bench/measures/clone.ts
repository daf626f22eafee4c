import { join } from 'node:path';
import { commandNames } from '#src/cli/commands.js';
import { runCliWell } from '../../replication/command-line.js';
import { createApp, insertWords, requireEqual, withApp } from '../app.js';
import type { Bench, Measure } from '../bench.js';
import { interleave, timed } from '../interleave.js';
import { outcome, type Figure } from '../outcome.js';
import { words } from '../workload.js';

const ROWS_PER_TRANSACTION = 10_000;

export const measure: Measure = {
  number: 11,
  title: 'a replica by clone',
  quick: false,
  async run(bench) {
    const what = `a replica of ${bench.sizes.rows} rows by clone, beside plain inserts`;
    const exists = commandNames.includes('clone');
    if (!exists) return [{ measure: 11, what, notMeasured: 'this version has no command "clone"' }];
    return compare(bench, what);
  },
};

async function compare(bench: Bench, what: string): Promise<Figure[]> {
  const { rows, runs } = bench.sizes;
  const { ann } = await bench.synced(rows);
  const all = words(rows);
  const clone = async () => {
    const file = join(bench.folder(), 'clone.db');
    const elapsedMs = await timed(() =>
      runCliWell(['clone', ann.address, '--db', file, '--node', 'cid', '--config', `${file}.yaml`]),
    );
    requireEqual(ann.database, file);
    return elapsedMs;
  };
  const plain = () => {
    const file = join(bench.folder(), 'plain.db');
    createApp(file);
    return withApp(file, (database) =>
      timed(() => {
        insertWords(database, all, ROWS_PER_TRANSACTION);
      }),
    );
  };
  const start = () => timed(() => runCliWell(['clone', '--help']));
  const figures = await interleave(runs, { clone, plain, start }, bench.say);
  const beside = { name: 'plain inserts', values: figures.plain };
  const working = figures.clone.map((elapsedMs, run) => elapsedMs - (figures.start[run] ?? 0));
  return [
    outcome(11, {
      what,
      unit: 'ms',
      ours: { name: 'clone', values: working },
      beside,
      goal: { atMost: 1 },
      note: 'without what the command takes to start (clone --help), which is no work on rows',
    }),
    outcome(11, {
      what: `${what}, the whole command`,
      unit: 'ms',
      ours: { name: 'clone', values: figures.clone },
      beside,
    }),
  ];
}
