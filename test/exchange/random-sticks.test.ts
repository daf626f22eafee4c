import { join } from 'node:path';
import { expect } from 'chai';
import type { Exported } from '#src/exchange/export-changes.js';
import { SyncError } from '#src/errors.js';
import { expectSameContent } from '../replication/content.js';
import { printedSeed, randomNumbers, runsOf } from '../random.js';
import { scratchFolder } from '../scratch.js';
import { createDatabaseFile, wordsOf, type DatabaseFile } from '../stand-ins/database-file.js';
import { exportTo, importFrom, withConnections } from './replica-file.js';

const NODES = ['ann', 'bob', 'cid'];
const STEPS = 45;
const PAGE_ROWS = 2;
const WORDS = 40;
/** Full exchanges after which all have everything, whatever happened before. */
const ROUNDS = 3;

/** What may be said of a stick that comes too early or too late; the tables must not care. */
const REFUSALS: ReadonlySet<string> = new Set(['file_gap', 'file_outdated']);

interface Machine extends DatabaseFile {
  readonly node: string;
}

interface Stick {
  readonly from: string;
  readonly path: string;
}

describe('replicas that are joined by sticks', function () {
  this.timeout(600_000);

  it('converge whatever sticks were written, lost, carried late, twice, or in another order', async () => {
    const runs = runsOf({ suite: 2, random: 10, soak: 100 });
    const seed = printedSeed(runs);
    const counts: Record<string, number> = {};
    for (let run = 0; run < runs; run += 1) {
      try {
        await history(randomNumbers(seed + run), counts);
      } catch (error) {
        throw new Error(`FC_SEED=${seed + run} RUNS=1: ${String(error)}`, { cause: error });
      }
    }
    console.log(`      ${JSON.stringify(counts)}`);
    // The others are too rare to be sure of in few runs.
    const rare = runs < 20 ? [] : ['file_gap', 'interrupted'];
    for (const what of ['applied', 'known', 'pulled', 'forgotten', ...rare]) {
      expect(counts[what] ?? 0, what).to.be.greaterThan(0);
    }
  });
});

async function history(random: () => number, counts: Record<string, number>): Promise<void> {
  const folder = scratchFolder();
  const machines = (await Promise.all(NODES.map(machineOf))) as [Machine, Machine, Machine];
  const sticks: Stick[] = [];
  const cursors = new Map<string, string[]>();
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  const count = (what: string) => (counts[what] = (counts[what] ?? 0) + 1);

  async function writeStick(machine: Machine, since: string): Promise<Stick> {
    const stick = { from: machine.node, path: join(folder, `${sticks.length}.sync`) };
    const { nextCursor }: Exported = await exportTo(machine.config, stick.path, since);
    cursors.set(machine.node, [...(cursors.get(machine.node) ?? []), nextCursor]);
    sticks.push(stick);
    return stick;
  }

  async function carry(stick: Stick, into: Machine, stopAfter?: number): Promise<void> {
    try {
      const stop = stopAfter === undefined ? {} : { stopAfter };
      const { pages } = await importFrom(into.config, { path: stick.path, ...stop });
      count(pages === 0 ? 'known' : 'applied');
    } catch (error) {
      if (error instanceof SyncError && REFUSALS.has(error.code)) count(error.code);
      else if (error instanceof Error && error.message === 'interrupted by the test') count('interrupted');
      else throw error;
    }
  }

  async function step(): Promise<void> {
    const machine = pick(machines);
    const chance = random();
    if (chance < 0.4) {
      const edits = 1 + Math.floor(random() * 8);
      for (let done = 0; done < edits; done += 1) edit(machine, random);
    } else if (chance < 0.6) {
      // From the start, or from one of the last cursors that were printed.
      const since = random() < 0.3 ? '' : (pick((cursors.get(machine.node) ?? ['']).slice(-3)) ?? '');
      await writeStick(machine, since).catch((error: unknown) => {
        if (!(error instanceof SyncError) || error.code !== 'since_invalid') throw error;
        count('since_invalid');
      });
    } else if (chance < 0.85) {
      const stick = pick(sticks.filter(({ from }) => from !== machine.node));
      if (stick !== undefined) await carry(stick, machine, random() < 0.4 ? 1 : undefined);
    } else if (chance < 0.95) {
      const from = pick(machines.filter((other) => other !== machine));
      await pullPages(machine, from, 1 + Math.floor(random() * 3));
      count('pulled');
    } else {
      await withConnections(machine.config, (writer) => writer.prune());
      count('pruned');
    }
  }

  async function exchangeAll(): Promise<void> {
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const from of machines) {
        const stick = await writeStick(from, '');
        for (const into of machines) if (into !== from) await carry(stick, into);
      }
    }
  }

  try {
    for (let done = 0; done < STEPS; done += 1) await step();
    await exchangeAll();
    expectSame(machines);

    // What is deleted and forgotten everywhere, no old stick brings back.
    const gone = wordsOf(machines[0].app);
    machines[0].app.exec('DELETE FROM words');
    await exchangeAll();
    for (const { config } of machines) {
      const { pruned } = await withConnections(config, (writer) => writer.prune());
      if (pruned > 0) count('forgotten');
    }
    for (const stick of sticks) {
      for (const machine of machines) if (machine.node !== stick.from) await carry(stick, machine);
    }
    for (const { app, node } of machines)
      expect(wordsOf(app), `${node}, after ${gone.length}`).to.deep.equal([]);
  } finally {
    for (const { app } of machines) app.close();
  }
}

async function machineOf(node: string): Promise<Machine> {
  // Known to each other by name, so that nobody forgets what another was not told.
  const peers = NODES.filter((name) => name !== node).map((name) => ({
    name,
    address: `${name}.invalid:8091`,
  }));
  const made = await createDatabaseFile(node, { peers });
  return { ...made, node, config: { ...made.config, sync: { ...made.config.sync, pageSize: PAGE_ROWS } } };
}

function edit({ app, node }: Machine, random: () => number): void {
  const id = `w${Math.floor(random() * WORDS)}`;
  // Clocks that differ a little, and edits within one millisecond.
  const stamp = Date.now() - Math.floor(random() * 20);
  if (random() < 0.3) app.prepare('DELETE FROM words WHERE id = ?').run(id);
  else {
    app
      .prepare(
        'INSERT INTO words VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET english = excluded.english, updated_at = excluded.updated_at',
      )
      .run(id, `${node} ${random()}`, stamp);
  }
}

/** Pulls so many pages as a network would bring, and breaks off. */
async function pullPages(into: Machine, from: Machine, pages: number): Promise<void> {
  await withConnections(from.config, (theirs, feed) =>
    withConnections(into.config, async (writer, reader) => {
      const peer = from.node;
      for (let page = 0; page < pages; page += 1) {
        await theirs.fold();
        const start = await reader.pullStart(peer);
        const { cursor: since, member, full, known, witness, heard, pruned } = start;
        const asker = { node: into.node, epoch: member.epoch, tables: null, member, known, witness, heard };
        const ask = (whole: boolean) => feed.page({ since, limit: 2, full, whole, ...asker });
        try {
          const { body, sha256, hasMore } = await ask(false);
          const request = { peer, since, epoch: member.epoch, pruned };
          await writer.apply({ ...request, body, sha256 }).catch(async (error: unknown) => {
            if (!(error instanceof SyncError) || error.code !== 'rows_missing') throw error;
            const whole = await ask(true);
            await writer.apply({ ...request, body: whole.body, sha256: whole.sha256 });
          });
          if (!hasMore) return;
        } catch (error) {
          if (!(error instanceof SyncError) || error.code !== 'cursor_invalid') throw error;
          await writer.resetCursor(peer);
        }
      }
    }),
  );
}

function expectSame(machines: readonly Machine[]): void {
  expectSameContent(
    machines.map(({ config }) => config.database.path),
    { words: ['id'] },
  );
}
