import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { packageRoot } from '#src/package-root.js';
import type { Circumstances } from './machine.js';
import type { Figure } from './outcome.js';
import { HEAD, rowsOf } from './report.js';

/** The figures of one measure, and where they were measured. */
export interface Measured extends Circumstances {
  readonly figures: readonly Figure[];
}

/** The figures that the documentation shows, by the number of their measure. */
export type Results = Readonly<Record<string, Measured>>;

export const RECORD_FILE = `${packageRoot}docs/performance.json`;
const PAGE_FILE = `${packageRoot}docs/performance.md`;

const BEGIN = '<!-- figures: written by npm run bench -- --write-docs -->';
const END = '<!-- end of figures -->';

/** Keeps the figures, instead of older ones of the same measures, and shows them in docs/performance.md. */
export function writeDocuments(measured: Results): void {
  const kept = existsSync(RECORD_FILE) ? (JSON.parse(readFileSync(RECORD_FILE, 'utf8')) as Results) : {};
  const record = { ...kept, ...measured };
  writeFileSync(RECORD_FILE, `${JSON.stringify(record, null, 2)}\n`);
  writeFileSync(PAGE_FILE, withFigures(readFileSync(PAGE_FILE, 'utf8'), record));
}

/** The page with these figures between its two marks. Throws where it has no marks. */
export function withFigures(page: string, record: Results): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new TypeError(`Expected "${BEGIN}" and "${END}" in the page`);
  return `${page.slice(0, begin)}${BEGIN}\n\n${figuresText(record)}\n${page.slice(end)}`;
}

function figuresText(record: Results): string {
  const all = Object.values(record);
  const rows = [HEAD, HEAD.map(() => '---'), ...rowsOf(all.flatMap(({ figures }) => figures))];
  const table = rows.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
  return `${table}\n${all.length === 0 ? '' : circumstancesText(record)}`;
}

/** Measures that were made together are named together. */
function circumstancesText(record: Results): string {
  const together = new Map<string, string[]>();
  for (const [measure, each] of Object.entries(record)) {
    const text = circumstanceText(each);
    together.set(text, [...(together.get(text) ?? []), measure]);
  }
  return [...together].map(([text, measures]) => `Measure ${measures.join(', ')}: ${text}\n`).join('\n');
}

function circumstanceText({ date, cpu, cores, memoryGiB, system, load, versions }: Measured): string {
  const used = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const machine = `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}`;
  return `${date.slice(0, 16).replace('T', ' ')} UTC, ${machine}, load ${load.toFixed(1)} at the start; ${used.join(', ')}.`;
}
