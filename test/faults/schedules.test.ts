import { randomNumbers, printedSeed, runsOf } from '../random.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { FaultyGroup } from './faulty-group.js';
import { Writers, type Write, type WriterName } from './writers.js';

const SCHEDULES = runsOf({ suite: 6, random: 20, soak: 200 });
/** Of each: fewer in the suite. */
const STEPS = process.env.SOAK === undefined && process.env.RANDOM_TESTS === undefined ? 12 : 20;
/** A long run says how far it has come. */
const TOLD_EVERY = 20;
const DAY_MS = 86_400_000;
/** At one replica, one after the other. */
const MAX_WRITES = 4;
const MAX_KILL_MS = 60;

withPrograms(['python3', 'sqlite3'], () => {
  describe('whole replicas in random schedules of faults', function () {
    this.timeout(SCHEDULES * 60_000);
    let writers: Writers;
    let template: Awaited<ReturnType<typeof FaultyGroup.template>>;

    before(async () => {
      writers = new Writers();
      template = await FaultyGroup.template();
    });
    after(async () => {
      await writers?.close();
      await template?.remove();
    });

    it('converge, and no value that was ever acknowledged is lost', async () => {
      const seed = printedSeed(SCHEDULES);
      const totals = { values: 0, lostWithFiles: 0 };
      for (let schedule = 0; schedule < SCHEDULES; schedule += 1) {
        const { values } = await runSchedule(seed + schedule);
        totals.values += values.size;
        totals.lostWithFiles += values.lostWithFiles;
        if ((schedule + 1) % TOLD_EVERY === 0) console.log(`      ${schedule + 1} of ${SCHEDULES}`);
      }
      console.log(
        `      ${totals.values} values, ${totals.lostWithFiles} went with a file that was thrown away`,
      );
    });

    async function runSchedule(seed: number): Promise<FaultyGroup> {
      const random = randomNumbers(seed);
      const group = await FaultyGroup.create(random() < 0.5 ? 2 : 3, template.file, writers);
      try {
        for (let step = 0; step < STEPS; step += 1) await takeStep(group, random);
        await group.expectNothingLost();
        return group;
      } catch (error) {
        const what = `${STEPS} steps; RUNS=1 FC_SEED=${seed} replays this schedule:`;
        throw new Error([what, ...group.told].join('\n  '), { cause: error });
      } finally {
        await group.remove();
      }
    }
  });
});

/** What may happen, and how often. */
const STEP_WEIGHTS = {
  write: 11,
  pull: 6,
  kill: 1,
  part: 0.7,
  start: 1.5,
  'set clock': 1,
  'back up': 1.5,
  restore: 1.5,
  clone: 0.5,
} as const;

type StepName = keyof typeof STEP_WEIGHTS;

async function takeStep(group: FaultyGroup, random: () => number): Promise<void> {
  const at = Math.floor(random() * group.count);
  switch (stepOf(random())) {
    case 'write': {
      const writer = oneOf<WriterName>(['python', 'sqlite3', 'node', 'node'], random);
      const writes = Math.ceil(random() * MAX_WRITES);
      for (let write = 0; write < writes; write += 1) await group.write(at, writeOf(random), writer);
      return;
    }
    case 'pull':
      return group.pull(at, Math.floor(random() * group.count));
    case 'kill':
      return group.kill(at, Math.floor(random() * MAX_KILL_MS));
    case 'part':
      return group.part(at);
    case 'start':
      return group.start(at);
    case 'set clock':
      group.setClock(at, Math.round((random() - 0.5) * 4 * DAY_MS));
      return;
    case 'back up':
      return group.backUp(at, random() < 0.5);
    case 'restore':
      return group.restore(at, { inPlace: random() < 0.5, killed: random() < 0.5 });
    case 'clone':
      return group.clone(at, random() < 0.5);
  }
}

function stepOf(random: number): StepName {
  const names = Object.keys(STEP_WEIGHTS) as StepName[];
  let left = random * names.reduce((sum, name) => sum + STEP_WEIGHTS[name], 0);
  for (const name of names) {
    left -= STEP_WEIGHTS[name];
    if (left < 0) return name;
  }
  return 'write';
}

function writeOf(random: () => number): Omit<Write, 'value' | 'nowMs'> {
  const table = oneOf(['words', 'words', 'notes'] as const, random);
  const kinds =
    table === 'words'
      ? (['put', 'put', 'put', 'soft delete', 'delete'] as const)
      : (['put', 'put', 'delete'] as const);
  return { table, kind: oneOf(kinds, random), key: `k${Math.floor(random() * 3)}` };
}

function oneOf<T>(choices: readonly T[], random: () => number): T {
  return choices[Math.floor(random() * choices.length)] as T;
}
