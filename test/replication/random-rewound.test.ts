import { expect } from 'chai';
import fc from 'fast-check';
import { printedSeed, runsOf } from '../random.js';
import { QuickGroup, tableConfig, type QuickReplica } from './quick-replica.js';

const RUNS = runsOf({ suite: 40, random: 200, soak: 20_000 });
const NODES = ['ann', 'bob', 'cid', 'dan'];

const replica = fc.nat({ max: NODES.length - 1 });

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      replica,
      rows: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('pull' as const), replica, peer: replica }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), replica, row: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('back up' as const), replica }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restore' as const), replica }) },
);

/** Who pulls from whom. */
const topology = fc.constantFrom('mesh' as const, 'chain' as const);

/** Who goes away for good before the others settle. */
const dead = fc.subarray(NODES, { maxLength: NODES.length - 2 });

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

describe('random histories in which whole disks are put back', () => {
  let group: QuickGroup;
  let replicas: QuickReplica[];
  let backups: Map<number, string>;
  let restores: number;
  let written: number;
  let deleted: Set<string>;
  let pairs: 'mesh' | 'chain';
  before(() => (group = new QuickGroup('CREATE TABLE words (id TEXT PRIMARY KEY)', [tableConfig('words')])));
  after(() => group.remove());

  function at(place: number): QuickReplica {
    const found = replicas[place];
    if (found === undefined) throw new TypeError(`Expected replica ${place} to be there`);
    return found;
  }

  function take(one: Step): void {
    const subject = at(one.replica);
    group.nowMs += 7;
    if (one.kind === 'write') {
      for (let row = 0; row < one.rows; row += 1) {
        subject.app.prepare('INSERT INTO words VALUES (?)').run(`${subject.node} ${(written += 1)}`);
        subject.fold();
      }
    } else if (one.kind === 'delete') {
      const rows = words(subject);
      const row = rows[one.row % rows.length];
      if (row === undefined) return;
      subject.app.prepare('DELETE FROM words WHERE id = ?').run(row);
      subject.fold();
      deleted.add(row);
    } else if (one.kind === 'pull') {
      if (areNeighbours(one.peer, one.replica)) subject.pullFrom(at(one.peer));
    } else if (one.kind === 'back up') {
      const file = group.newFile();
      subject.copyTo(file);
      backups.set(one.replica, file);
    } else {
      const file = backups.get(one.replica);
      if (file === undefined) return;
      replicas[one.replica] = group.restoreDisk(subject, file);
      restores += 1;
    }
  }

  function areNeighbours(a: number, b: number): boolean {
    return pairs === 'mesh' ? a !== b : Math.abs(a - b) === 1;
  }

  /** All pull from their neighbours until nothing moves any more. */
  function settle(): void {
    for (let round = 0; round < 20; round += 1) {
      let received = 0;
      for (const [place, puller] of replicas.entries()) {
        for (const [other, peer] of replicas.entries()) {
          if (areNeighbours(place, other)) received += puller.pullFrom(peer).received;
        }
      }
      if (received === 0) return;
    }
    throw new Error('still moving after twenty rounds');
  }

  /** All have what each has written and claim so; to that their disks may be put back. */
  function begin(): void {
    for (const replica of replicas.keys()) take({ kind: 'write', replica, rows: 1 });
    settle();
    for (const replica of replicas.keys()) take({ kind: 'back up', replica });
  }

  function words({ app }: QuickReplica): string[] {
    return app.prepare<[], string>('SELECT id FROM words ORDER BY id').pluck().all();
  }

  it('end with all that any replica still has in every replica, also where some never come back', function () {
    this.timeout(RUNS * 10_000);
    const seed = printedSeed(RUNS);
    restores = 0;
    const steps = fc.array(step, { minLength: 5, maxLength: 30, size: 'max' });
    fc.assert(
      fc.property(steps, topology, dead, (steps, topology, dead) => {
        group.clear();
        replicas = NODES.map((node) => group.add(node));
        backups = new Map();
        written = 0;
        deleted = new Set();
        pairs = topology;
        begin();
        for (const one of steps) take(one);
        // Those on both sides of a gap in a chain are neighbours from then on.
        replicas = replicas.filter(({ node }) => !dead.includes(node));
        const kept = replicas.flatMap(words).filter((word) => !deleted.has(word));
        settle();
        const [first = [], ...others] = replicas.map(words);
        for (const other of others) expect(other).to.deep.equal(first);
        expect(first).to.include.members(kept);
      }),
      { numRuns: RUNS, seed, endOnFailure: false },
    );
    console.log(`      ${restores} disks put back`);
  });
});
