import { parseArgs } from 'node:util';
import type { Sizes } from './bench.js';

export interface Options {
  readonly quick: boolean;
  /** Numbers of measures; null: all. */
  readonly only: readonly number[] | null;
  readonly sizes: Sizes;
  /** Where the figures are written as JSON. */
  readonly out: string;
  /** Whether docs/performance.md is to show them. */
  readonly writeDocs: boolean;
}

const FULL: Sizes = {
  rows: 100_000,
  small: 10_000,
  large: 1_000_000,
  runs: 5,
  firstSyncRuns: 5,
  groups: [20, 50],
};
const QUICK: Sizes = { rows: 20_000, small: 20_000, large: 200_000, runs: 3, firstSyncRuns: 5, groups: [] };

export const USAGE = `npm run bench [-- options]
  --quick        smaller, without peers; fails where it has become slower by half
  --only 1,4     only these measures
  --rows N       instead of ${FULL.rows} rows; the small database has a tenth, the large one ten times as many
  --runs N       of each side, instead of ${FULL.runs}
  --out FILE     where the figures are written as JSON (default: bench-result.json)
  --write-docs   also shows them in docs/performance.md, instead of older ones of the same measures`;

/** Reads the command line. Throws a TypeError where it is wrong. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      rows: { type: 'string' },
      runs: { type: 'string' },
      out: { type: 'string', default: 'bench-result.json' },
      'write-docs': { type: 'boolean', default: false },
    },
  });
  const { quick, only, rows, runs, out, 'write-docs': writeDocs } = values;
  if (quick && writeDocs) throw new TypeError('--write-docs needs the whole benchmark, not --quick');
  const base = quick ? QUICK : FULL;
  const scaled = rows === undefined ? base : sizesOf(whole('--rows', rows, 1000), base);
  const asked = runs === undefined ? null : whole('--runs', runs, 1);
  return {
    quick,
    only: only === undefined ? null : only.split(',').map((number) => whole('--only', number, 1)),
    sizes: asked === null ? scaled : { ...scaled, runs: asked, firstSyncRuns: asked },
    out,
    writeDocs,
  };
}

function sizesOf(rows: number, base: Sizes): Sizes {
  return { ...base, rows, small: rows / 10, large: rows * 10 };
}

function whole(option: string, text: string, atLeast: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= atLeast) return number;
  throw new TypeError(`${option}: expected a whole number from ${atLeast}, not "${text}"`);
}
