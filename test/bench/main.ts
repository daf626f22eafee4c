/** `npm run bench`: measures, prints, and fails where --quick finds a regression. */
import { writeFileSync } from 'node:fs';
import { Bench, type Measure } from './bench.js';
import { writeDocuments, type Measured } from './documents.js';
import { circumstances } from './machine.js';
import { measures as capture } from './measures/capture.js';
import { measure as clone } from './measures/clone.js';
import { measure as commitLatency } from './measures/commit-latency.js';
import { besideCrsqlite, bySize } from './measures/few-changes.js';
import { measure as fileSize } from './measures/file-size.js';
import { measure as firstSync } from './measures/first-sync.js';
import { measure as live } from './measures/live.js';
import { measure as memory } from './measures/memory.js';
import { measure as scale } from './measures/scale.js';
import { measure as wire } from './measures/wire.js';
import { parseOptions, USAGE, type Options } from './options.js';
import { isRegression } from './outcome.js';
import { installPeers } from './peers.js';
import { tableOf } from './report.js';

const MEASURES: readonly Measure[] = [
  ...capture,
  firstSync,
  bySize,
  besideCrsqlite,
  fileSize,
  wire,
  commitLatency,
  memory,
  clone,
  scale,
  live,
];

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(args);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n${USAGE}`);
    return 2;
  }
  const say = (line: string) => {
    console.error(line);
  };
  const peers = options.quick ? 'the quick benchmark is made without peers' : installPeers(say);
  if (typeof peers === 'string') say(peers);
  const bench = new Bench(options.sizes, say, peers);
  try {
    const found = await measureAll(bench, options);
    const figures = Object.values(found).flatMap((each) => each.figures);
    console.log(tableOf(figures));
    writeFileSync(options.out, `${JSON.stringify(found, null, 2)}\n`);
    if (options.writeDocs) writeDocuments(found);
    return options.quick && figures.some(isRegression) ? 1 : 0;
  } finally {
    await bench.end();
  }
}

async function measureAll(bench: Bench, { only, quick }: Options): Promise<Record<string, Measured>> {
  const found: Record<string, Measured> = {};
  for (const measure of MEASURES) {
    if (only !== null && !only.includes(measure.number)) continue;
    if (quick && !measure.quick) continue;
    bench.say(`\n${measure.number} ${measure.title}`);
    const at = circumstances(bench.peers);
    let figures = await measure.run(bench);
    if (quick && figures.some(isRegression)) {
      bench.say('slower by more than half: once more');
      figures = await measure.run(bench);
    }
    await bench.rest();
    found[measure.number] = { ...at, figures };
  }
  return found;
}
