import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createApp, insertWords, withApp } from '../app.js';
import { captureRun, OPERATIONS, type Operation } from '../apps/capture.js';
import type { Bench, Measure } from '../bench.js';
import { interleave } from '../interleave.js';
import { outcome, type Figure, type Goal } from '../outcome.js';
import { startPython, type Asked } from '../programs.js';
import { createReplicas } from '../replicas.js';
import { words } from '../workload.js';

/** An application that writes: resolves to the ms that the operation took. */
type App = (operation: Operation, file: string, source: string) => number | Promise<number>;

const WHAT: Readonly<Record<Operation, string>> = {
  bulk: 'rows inserted in one transaction',
  rows: 'rows updated one by one in one transaction',
  all: 'rows changed by one UPDATE',
  commits: 'commits of one new row each',
};

const GOALS: Readonly<Record<Operation, Goal>> = {
  bulk: { atMost: 1.4 },
  rows: { atMost: 1.6 },
  all: { atMost: 2.4, soFar: 3 },
  commits: { atMost: 1.8 },
};

/** A measure of what the triggers cost the application, in our process and in Python. */
function captureMeasure(number: number, title: string, operations: readonly Operation[]): Measure {
  return {
    number,
    title,
    quick: true,
    async run(bench) {
      const python = await startPython('apps/capture.py');
      const inPython: App = async (operation, file, source) =>
        Number(await python.ask(`${operation}\t${file}\t${source}`));
      try {
        return await figures(bench, number, operations, inPython);
      } finally {
        await (python satisfies Asked).end();
      }
    },
  };
}

async function figures(
  bench: Bench,
  number: number,
  operations: readonly Operation[],
  inPython: App,
): Promise<Figure[]> {
  const bases = await makeBases(bench);
  const found: Figure[] = [];
  for (const operation of operations) {
    for (const [language, app] of [
      ['better-sqlite3', captureRun],
      ['Python', inPython],
    ] as const) {
      const run = (base: Base) => () =>
        onCopy(bench, base[OPERATIONS[operation].on], (file) =>
          app(operation, file, bench.source(OPERATIONS[operation].rows(bench.sizes.rows))),
        );
      const sides = { triggers: run(bases.captured), plain: run(bases.plain) };
      bench.say(`${WHAT[operation]}, ${language}`);
      const { triggers, plain } = await interleave(bench.sizes.runs, sides, bench.say);
      found.push(
        outcome(number, {
          what: `${OPERATIONS[operation].rows(bench.sizes.rows)} ${WHAT[operation]} (${language})`,
          unit: 'ms',
          ours: { name: 'with triggers', values: triggers },
          beside: { name: 'without', values: plain },
          // the application of the goals; the other shows that the language makes no difference
          ...(language === 'better-sqlite3' ? { goal: GOALS[operation] } : {}),
        }),
      );
    }
  }
  return found;
}

/** Database files of one kind, to be copied for each run. */
interface Base {
  readonly empty: string;
  readonly full: string;
}

/** Databases with and without triggers, each empty and full. No daemon runs beside them. */
async function makeBases(bench: Bench): Promise<{ plain: Base; captured: Base }> {
  const folder = bench.folder();
  const [captured, capturedFull] = await createReplicas(folder, { ann: [], bob: [] });
  if (captured === undefined || capturedFull === undefined) throw new TypeError('Expected two replicas');
  const plain = { empty: join(folder, 'empty.db'), full: join(folder, 'full.db') };
  createApp(plain.empty);
  createApp(plain.full);
  const all = words(bench.sizes.rows);
  for (const file of [plain.full, capturedFull.database]) {
    withApp(file, (database) => {
      insertWords(database, all);
    });
  }
  return { plain, captured: { empty: captured.database, full: capturedFull.database } };
}

async function onCopy(bench: Bench, base: string, work: (file: string) => number | Promise<number>) {
  const folder = bench.folder();
  const file = join(folder, 'app.db');
  copyFileSync(base, file);
  try {
    return await work(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const measures: readonly Measure[] = [
  captureMeasure(1, 'capture: bulk insert', ['bulk']),
  captureMeasure(2, 'capture: updates', ['rows', 'all']),
  captureMeasure(3, 'capture: single-row commits', ['commits']),
];
