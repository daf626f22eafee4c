import { expect } from 'chai';
import fc from 'fast-check';
import { printedSeed, runsOf } from '../random.js';
import { CausalGroup } from './causal-group.js';

const RUNS = runsOf({ suite: 100, random: 500, soak: 5_000 });
const MAX_REPLICAS = 5;
const DAY_MS = 86_400_000;

const replica = fc.nat({ max: MAX_REPLICAS - 1 });
const key = fc.nat({ max: 2 });
/** Often the same, so that replicas come to write the same, and up to days off. */
const clockMs = fc.oneof(
  fc.constantFrom(0, 0, 1, DAY_MS, -DAY_MS),
  fc.integer({ min: -3 * DAY_MS, max: 3 * DAY_MS }),
);

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'put' as const,
        'put' as const,
        'note' as const,
        'touch' as const,
        'erase' as const,
      ),
      replica,
      key,
      value: fc.nat({ max: 3 }),
      clockMs,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('soft delete' as const), replica, key, clockMs }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fold' as const), replica }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('set clock' as const), replica, clockMs }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('pull' as const),
      replica,
      peer: replica,
      pageSize: fc.integer({ min: 1, max: 3 }),
      pages: fc.constantFrom(1, 2, 100),
      locked: fc.constantFrom(false, false, true),
    }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

describe('random histories beside full vector clocks', () => {
  let group: CausalGroup;
  before(() => (group = new CausalGroup()));
  after(() => group.remove());

  it('list every version that was lost unknown to the winner, once, and no other', function () {
    this.timeout(RUNS * 10_000);
    const seed = printedSeed(RUNS);
    const history = fc.array(step, { minLength: 5, maxLength: 32, size: 'max' });
    const replicas = fc.integer({ min: 2, max: MAX_REPLICAS });
    let meetings = 0;
    let lost = 0;
    fc.assert(
      fc.property(history, replicas, (steps, count) => {
        group.begin(count);
        for (const each of steps) take(each, count);
        group.settle();
        group.expectNothingLost();
        meetings += group.meetings;
        lost += group.lost;
      }),
      { numRuns: RUNS, seed, endOnFailure: false },
    );
    console.log(`      ${meetings} meetings of two versions, ${lost} ledger entries`);
    expect(lost, 'ledger entries that were compared').to.be.greaterThan(RUNS / 4);
  });

  function take(each: Step, count: number): void {
    const at = each.replica % count;
    switch (each.kind) {
      case 'pull':
        group.pull(at, each.peer % count, each);
        return;
      case 'fold':
        return group.fold(at);
      case 'set clock':
        return group.setClock(at, each.clockMs);
      case 'put':
        return group.putWord(at, each.key, `word ${each.value}`, each.clockMs);
      case 'note':
        return group.putNote(at, each.key, each.value);
      case 'touch':
        return group.touch(at, each.value < 2 ? 'words' : 'notes', each.key);
      case 'soft delete':
        return group.softDelete(at, each.key, each.clockMs);
      case 'erase':
        return group.erase(at, each.value < 2 ? 'words' : 'notes', each.key);
    }
  }
});
