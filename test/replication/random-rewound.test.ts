import { expect } from 'chai';
import fc from 'fast-check';
import { printedSeed, runsOf } from '../random.js';
import { QuickGroup, tableConfig, type QuickReplica } from './quick-replica.js';

const RUNS = runsOf({ suite: 100, soak: 20_000 });
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
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('back up' as const), replica }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const), replica }) },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

describe('random histories in which whole disks are put back', () => {
  let group: QuickGroup;
  let replicas: QuickReplica[];
  let backups: Map<number, string>;
  let restores: number;
  let written: number;
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
    } else if (one.kind === 'pull') {
      if (one.peer !== one.replica) subject.pullFrom(at(one.peer));
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

  /** All pull from all until nothing moves any more. */
  function settle(): void {
    for (let round = 0; round < 20; round += 1) {
      let received = 0;
      for (const puller of replicas) {
        for (const peer of replicas) if (peer !== puller) received += puller.pullFrom(peer).received;
      }
      if (received === 0) return;
    }
    throw new Error('still moving after twenty rounds');
  }

  function words({ app }: QuickReplica): string[] {
    return app.prepare<[], string>('SELECT id FROM words ORDER BY id').pluck().all();
  }

  it('end with all that any replica still has in every replica', function () {
    this.timeout(RUNS * 1_000);
    const seed = printedSeed(RUNS);
    restores = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), (steps) => {
        group.clear();
        replicas = NODES.map((node) => group.add(node));
        backups = new Map();
        written = 0;
        for (const one of steps) take(one);
        const kept = [...new Set(replicas.flatMap(words))].sort();
        settle();
        for (const each of replicas) expect(words(each), each.node).to.deep.equal(kept);
      }),
      { numRuns: RUNS, seed, endOnFailure: false },
    );
    console.log(`      ${restores} disks put back`);
  });
});
